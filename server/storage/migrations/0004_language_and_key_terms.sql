ALTER TABLE meetings
    -- Names and terms that may be said, as the sessions that hear the meeting are given them.
    ADD COLUMN key_terms text[] NOT NULL DEFAULT '{}',
    -- The language spoken most, as the engine detected it or was told, by its BCP 47 primary tag; NULL until it is
    -- known. (`language` is what was given with the recording.)
    ADD COLUMN spoken_language text,
    -- How sure the engine is of it, 0..1; NULL where it was given or is not known.
    ADD COLUMN language_confidence real;
