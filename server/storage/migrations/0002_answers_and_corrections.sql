CREATE INDEX meetings_newest_of_organization ON meetings (organization_id, created_at DESC, id DESC);

ALTER TABLE organizations
    -- Voices are personal data: nothing of them is kept until an organization asks for it.
    ADD COLUMN recognise_voices boolean NOT NULL DEFAULT false;

CREATE TABLE voices (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL DEFAULT '',
    -- Vectors of different models cannot be compared.
    model text NOT NULL,
    -- float32, little-endian: the mean over the meetings in which it was heard.
    vector bytea NOT NULL,
    meetings integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX voices_of_organization ON voices (organization_id, created_at);

ALTER TABLE speakers
    ADD COLUMN alias_source text NOT NULL DEFAULT 'number'
        CHECK (alias_source IN ('number', 'spoken', 'voice', 'hand')),
    ADD COLUMN alias_confidence real,
    -- False for one who was merged away, or whose split was undone.
    ADD COLUMN active boolean NOT NULL DEFAULT true,
    ADD COLUMN voice_id uuid REFERENCES voices ON DELETE SET NULL;
CREATE INDEX speakers_of_voice ON speakers (voice_id) WHERE voice_id IS NOT NULL;

-- Merges and splits by hand, applied in the order of their numbers to what the engine said.
CREATE TABLE speaker_edits (
    meeting_id uuid NOT NULL REFERENCES meetings ON DELETE CASCADE,
    number integer NOT NULL,
    document jsonb NOT NULL,
    user_id uuid REFERENCES users ON DELETE SET NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    undone boolean NOT NULL DEFAULT false,
    PRIMARY KEY (meeting_id, number)
);
