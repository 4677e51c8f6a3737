ALTER TABLE meetings
    -- Whether the channels of an uploaded recording are heard together, or are participants of their own.
    ADD COLUMN channels text NOT NULL DEFAULT 'mixed' CHECK (channels IN ('mixed', 'separate')),
    -- Whether anybody speaks; NULL until the meeting is ready.
    ADD COLUMN speech_found boolean,
    -- What a reader of the answers must know: that there is no speech, or no words, and why.
    ADD COLUMN notice text NOT NULL DEFAULT '';
