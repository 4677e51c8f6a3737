-- The settings that an organization's owners choose. Days are counted from a meeting's created_at; 0: never.
ALTER TABLE organizations
    ADD COLUMN retention_audio_days integer NOT NULL DEFAULT 0 CHECK (retention_audio_days BETWEEN 0 AND 36500),
    ADD COLUMN retention_transcript_days integer NOT NULL DEFAULT 0 CHECK (retention_transcript_days BETWEEN 0 AND 36500),
    ADD COLUMN retention_meeting_days integer NOT NULL DEFAULT 0 CHECK (retention_meeting_days BETWEEN 0 AND 36500);

GRANT UPDATE (retention_audio_days, retention_transcript_days, retention_meeting_days) ON organizations TO meetra_runtime;
