CREATE TABLE organizations (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash text NOT NULL,
    -- Tokens issued before this moment are refused: how a token is revoked.
    tokens_valid_after timestamptz NOT NULL DEFAULT to_timestamp(0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE meetings (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    file_hash text NOT NULL CHECK (file_hash ~ '^[0-9a-f]{64}$'),
    name text NOT NULL,
    held_on text,
    n_speakers integer CHECK (n_speakers BETWEEN 1 AND 64),
    language text NOT NULL DEFAULT '',
    media_type text NOT NULL,
    size_bytes bigint NOT NULL,
    status text NOT NULL CHECK (status IN ('receiving', 'queued', 'processing', 'ready', 'failed')),
    stage text NOT NULL,
    progress_percent integer NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
    message text NOT NULL DEFAULT '',
    -- Analyses begun; one that ended with the worker's clean stop is not counted.
    attempts integer NOT NULL DEFAULT 0,
    -- A failed meeting whose recording is not at fault: uploading it again queues it again.
    retryable boolean NOT NULL DEFAULT false,
    duration_ms integer,
    engine jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, file_hash)
);
CREATE INDEX meetings_latest_of_user ON meetings (user_id, created_at DESC);

-- A row exists while work is owed for a meeting.
CREATE TABLE jobs (
    meeting_id uuid PRIMARY KEY REFERENCES meetings ON DELETE CASCADE,
    run_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    -- Rises each time the job is taken; a holder with an older one has lost it.
    fence integer NOT NULL DEFAULT 0
);
CREATE INDEX jobs_due ON jobs (run_at);

-- What the inference session said, as serialized meetra.inference.v1.RunSessionResponse.
CREATE TABLE session_events (
    meeting_id uuid NOT NULL REFERENCES meetings ON DELETE CASCADE,
    fence integer NOT NULL,
    event_seq bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (meeting_id, fence, event_seq)
);

CREATE TABLE conversations (
    meeting_id uuid PRIMARY KEY REFERENCES meetings ON DELETE CASCADE,
    document jsonb NOT NULL
);

CREATE TABLE speakers (
    id uuid PRIMARY KEY,
    meeting_id uuid NOT NULL REFERENCES meetings ON DELETE CASCADE,
    label integer NOT NULL,
    alias text NOT NULL,
    UNIQUE (meeting_id, label)
);

CREATE TABLE insights (
    meeting_id uuid NOT NULL REFERENCES meetings ON DELETE CASCADE,
    family text NOT NULL,
    definition_version text NOT NULL,
    value jsonb NOT NULL,
    PRIMARY KEY (meeting_id, family)
);
