-- What was deleted, and whether the disk has forgotten it: a receipt for each deletion, without anything of the meeting.
--
-- It is written with the deletion of the rows, before the files go: whoever finds one whose files are not removed yet
-- removes them.
CREATE TABLE deletions (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    meeting_id uuid NOT NULL,
    file_hash text NOT NULL CHECK (file_hash ~ '^[0-9a-f]{64}$'),
    part text NOT NULL CHECK (part IN ('audio', 'transcript', 'meeting')),
    reason text NOT NULL CHECK (reason IN ('request', 'retention')),
    -- Whose request it was. Stays when the user is deleted.
    user_id uuid,
    -- Deleted rows by table.
    row_counts jsonb NOT NULL,
    files integer NOT NULL,
    size_bytes bigint NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now(),
    files_removed_at timestamptz,
    -- When the database's files were rewritten.
    purged_at timestamptz
);
CREATE INDEX deletions_of_organization ON deletions (organization_id, deleted_at DESC, id DESC);
CREATE INDEX deletions_unfinished ON deletions (deleted_at) WHERE files_removed_at IS NULL;

ALTER TABLE deletions ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON deletions USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE (files, size_bytes, files_removed_at) ON deletions TO meetra_runtime;

-- Deletions older than this whose files are not removed: at most 100.
CREATE FUNCTION unfinished_deletions(grace interval)
    RETURNS TABLE (organization_id uuid, id uuid, file_hash text, part text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT d.organization_id, d.id, d.file_hash, d.part FROM public.deletions d
          WHERE d.files_removed_at IS NULL AND d.deleted_at < now() - grace ORDER BY d.deleted_at LIMIT 100 $$;
REVOKE ALL ON FUNCTION unfinished_deletions(interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION unfinished_deletions(interval) TO meetra_runtime;

-- What retention has deleted of a meeting, and when.
ALTER TABLE meetings
    ADD COLUMN audio_deleted_at timestamptz,
    ADD COLUMN transcript_deleted_at timestamptz;

-- The parts of meetings: when they are due to be deleted, by the policy as it is now, and when they were. A meeting at rest is
-- one that nobody analyses or writes to.
CREATE VIEW meeting_parts WITH (security_invoker = true) AS
    SELECT m.organization_id, m.id AS meeting_id, m.file_hash, p.part, p.deleted_at,
           CASE WHEN p.days > 0 THEN m.created_at + make_interval(days => p.days) END AS due_at,
           m.status IN ('ready', 'failed')
               AND NOT EXISTS (SELECT FROM live_meetings l WHERE l.meeting_id = m.id AND NOT l.concluded) AS at_rest
    FROM meetings m
    JOIN organizations o ON o.id = m.organization_id
    CROSS JOIN LATERAL (VALUES
        ('audio', o.retention_audio_days, m.audio_deleted_at),
        ('transcript', o.retention_transcript_days, m.transcript_deleted_at),
        ('meeting', o.retention_meeting_days, NULL)) AS p (part, days, deleted_at);
GRANT SELECT ON meeting_parts TO meetra_runtime;

-- Parts that are due, whole meetings first: of each organization at most so many.
CREATE FUNCTION expired_parts(most integer)
    RETURNS TABLE (organization_id uuid, file_hash text, part text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT o.id, due.file_hash, due.part FROM public.organizations o CROSS JOIN LATERAL (
              SELECT p.file_hash, p.part FROM public.meeting_parts p
              WHERE p.organization_id = o.id AND p.due_at <= now() AND p.deleted_at IS NULL AND p.at_rest
              ORDER BY p.part = 'meeting' DESC, p.due_at LIMIT most) AS due
          WHERE greatest(o.retention_audio_days, o.retention_transcript_days, o.retention_meeting_days) > 0 $$;
REVOKE ALL ON FUNCTION expired_parts(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION expired_parts(integer) TO meetra_runtime;

-- Whether a meeting needs a note of consent before it is recorded or uploaded.
ALTER TABLE organizations ADD COLUMN consent_required boolean NOT NULL DEFAULT false;
GRANT UPDATE (consent_required) ON organizations TO meetra_runtime;

-- Who consented to a meeting's recording and analysis, how, and when, in the words of whoever noted it.
CREATE TABLE consents (
    meeting_id uuid NOT NULL,
    organization_id uuid NOT NULL DEFAULT current_organization(),
    number integer NOT NULL,
    who text NOT NULL,
    how text NOT NULL,
    given text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    -- Who noted it. Stays when the user is deleted.
    user_id uuid,
    PRIMARY KEY (meeting_id, number),
    CONSTRAINT consents_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES meetings (id, organization_id) ON DELETE CASCADE
);
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON consents USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, DELETE ON consents TO meetra_runtime;
