ALTER TABLE speakers DROP CONSTRAINT speakers_alias_source_check;
-- 'track': the name of a participant whose voice came on a track of its own.
ALTER TABLE speakers ADD CONSTRAINT speakers_alias_source_check
    CHECK (alias_source IN ('number', 'spoken', 'voice', 'hand', 'track'));

-- A row for each meeting that came live, kept with the meeting.
CREATE TABLE live_meetings (
    meeting_id uuid PRIMARY KEY REFERENCES meetings ON DELETE CASCADE,
    config jsonb NOT NULL,
    -- Rises each time a server process takes the meeting up; one with an older number has lost it.
    fence integer NOT NULL DEFAULT 0,
    -- Rises each time a client connects to send audio.
    owner integer NOT NULL DEFAULT 0,
    -- When a client was last connected.
    heard_at timestamptz NOT NULL DEFAULT now(),
    -- No more audio is taken.
    finished boolean NOT NULL DEFAULT false,
    -- The last event is stored.
    concluded boolean NOT NULL DEFAULT false,
    -- Tracks that carry another track's audio.
    ignored_tracks text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX live_meetings_open ON live_meetings (heard_at) WHERE NOT concluded;

-- What was said of a live meeting while it went on, as serialized meetra.v1.LiveEvent.
CREATE TABLE live_events (
    meeting_id uuid NOT NULL REFERENCES live_meetings ON DELETE CASCADE,
    event_seq bigint NOT NULL,
    -- Of a turn: later events of the same segment replace it.
    segment_id bigint,
    payload bytea NOT NULL,
    PRIMARY KEY (meeting_id, event_seq)
);
