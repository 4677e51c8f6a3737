-- Lists of meetings: searched by words in any script, and deletions that wait.

ALTER TABLE meetings
    -- The API key with which it was uploaded or opened. Stays when the key is revoked.
    ADD COLUMN key_id uuid,
    -- A deletion that waits: when it is carried out, and whose request it is. Stays when the user is deleted.
    ADD COLUMN delete_at timestamptz,
    ADD COLUMN delete_user_id uuid,
    ADD CONSTRAINT meetings_delete_check CHECK ((delete_at IS NULL) = (delete_user_id IS NULL));

CREATE INDEX meetings_waiting_to_be_deleted ON meetings (delete_at) WHERE delete_at IS NOT NULL;

-- A text without capitals, in compatible characters: what searches compare. Databases whose locale is C lower ASCII alone, so
-- a collation that knows all letters is named, as far as this server has one.
DO $$
DECLARE
    lowering text := 'lower($1)';
    known text;
BEGIN
    IF getdatabaseencoding() = 'UTF8' THEN
        SELECT collname INTO known FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace
            AND collname IN ('pg_c_utf8', 'und-x-icu') ORDER BY collname LIMIT 1;
        lowering := CASE WHEN known IS NULL THEN 'lower(normalize($1, NFKC))'
            ELSE format('lower(normalize($1, NFKC) COLLATE %I)', known) END;
    END IF;
    EXECUTE format('CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql STABLE AS %L', 'SELECT ' || lowering);
END
$$;

-- Deletions whose wait is over, of all organizations, the longest overdue first.
CREATE FUNCTION due_deletions(most integer)
    RETURNS TABLE (organization_id uuid, file_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT m.organization_id, m.file_hash FROM public.meetings m
          WHERE m.delete_at <= now() ORDER BY m.delete_at LIMIT most $$;
REVOKE ALL ON FUNCTION due_deletions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION due_deletions(integer) TO meetra_runtime;

-- Audio whose analysis began in a month (UTC), by who sent it and with which key. Deleting a meeting takes nothing back.
CREATE TABLE usage_months (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    -- Its first day.
    month date NOT NULL DEFAULT date_trunc('month', now() AT TIME ZONE 'UTC')::date,
    -- Without foreign keys: what was used stays when they go. No key: a password's token.
    user_id uuid,
    key_id uuid,
    -- Analyses begun, and their audio, all tracks together.
    analyses bigint NOT NULL DEFAULT 0,
    audio_ms bigint NOT NULL DEFAULT 0,
    UNIQUE NULLS NOT DISTINCT (organization_id, month, user_id, key_id)
);
CREATE INDEX usage_newest_of_organization ON usage_months (organization_id, month DESC, id DESC);
ALTER TABLE usage_months ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON usage_months USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE (analyses, audio_ms) ON usage_months TO meetra_runtime;

-- What is known of the time before: the meetings that are kept, by the month of their upload.
INSERT INTO usage_months (organization_id, month, user_id, analyses, audio_ms)
    SELECT organization_id, date_trunc('month', created_at AT TIME ZONE 'UTC')::date, user_id, count(*), sum(counted_ms)
    FROM meetings WHERE counted_ms > 0 GROUP BY 1, 2, 3;
