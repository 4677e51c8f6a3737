-- What an organization may use, where that differs from the servers' settings; NULL: it does not.
ALTER TABLE organizations
    ADD COLUMN upload_bytes_per_day bigint CHECK (upload_bytes_per_day >= 0),
    ADD COLUMN minutes_per_day bigint CHECK (minutes_per_day >= 0),
    ADD COLUMN stored_bytes bigint CHECK (stored_bytes >= 0),
    ADD COLUMN uploads_at_once bigint CHECK (uploads_at_once >= 0),
    -- When a worker last took a job of it.
    ADD COLUMN served_at timestamptz NOT NULL DEFAULT to_timestamp(0);

-- Audio counted for the meeting's analysis so far, so that another attempt does not count it again.
ALTER TABLE meetings ADD COLUMN counted_ms bigint NOT NULL DEFAULT 0;
UPDATE meetings SET counted_ms = duration_ms WHERE duration_ms IS NOT NULL;
-- Answers how much an organization stores, and lists its meetings by page.
CREATE INDEX meetings_of_organization ON meetings (organization_id, created_at DESC, id DESC) INCLUDE (size_bytes);

-- What an organization used on a day (UTC). Deleting a meeting takes nothing back.
CREATE TABLE organization_days (
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    day date NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')::date,
    upload_bytes bigint NOT NULL DEFAULT 0,
    analysed_ms bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, day)
);
ALTER TABLE organization_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON organization_days USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE ON organization_days TO meetra_runtime;

-- Organizations take turns: the queue is read by organization.
CREATE INDEX jobs_of_organization ON jobs (organization_id, run_at);
CREATE INDEX jobs_leased ON jobs (organization_id, lease_until) WHERE lease_until IS NOT NULL;
DROP INDEX jobs_due;

-- The next job that is due, locked with its meeting until the transaction ends: the oldest of the organization that has
-- fewest jobs at work, and of several of them that was served least recently. However much one organization queues, each
-- other one with a due job is served before its next.
--
-- Organizations in passed_over are left out: a worker keeps its last place for another one.
--
-- Takers at the same moment pass over an organization that another is given a job of, or was since they looked, unless no
-- other has any.
DROP FUNCTION lock_due_job();
CREATE FUNCTION lock_due_job(passed_over uuid[] DEFAULT '{}')
    RETURNS TABLE (meeting_id uuid, organization_id uuid, attempts integer)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
#variable_conflict use_column
DECLARE
    politely boolean;
    candidate record;
BEGIN
    FOREACH politely IN ARRAY ARRAY[true, false] LOOP
        FOR candidate IN
            -- One look into the index for each organization, not for each of its jobs.
            WITH RECURSIVE queueing AS (
                (SELECT j.organization_id FROM public.jobs j ORDER BY j.organization_id LIMIT 1)
                UNION ALL
                SELECT (SELECT j.organization_id FROM public.jobs j WHERE j.organization_id > q.organization_id
                        ORDER BY j.organization_id LIMIT 1)
                FROM queueing q WHERE q.organization_id IS NOT NULL
            )
            SELECT o.id, o.served_at FROM queueing q JOIN public.organizations o ON o.id = q.organization_id
            WHERE o.id <> ALL (passed_over)
              AND EXISTS (SELECT FROM public.jobs j WHERE j.organization_id = o.id
                          AND j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now()))
            ORDER BY (SELECT count(*) FROM public.jobs j WHERE j.organization_id = o.id AND j.lease_until >= now()),
                     o.served_at, o.id
        LOOP
            PERFORM FROM public.organizations o WHERE o.id = candidate.id AND o.served_at = candidate.served_at
                FOR NO KEY UPDATE SKIP LOCKED;
            CONTINUE WHEN politely AND NOT FOUND;
            RETURN QUERY
                SELECT j.meeting_id, j.organization_id, m.attempts
                FROM public.jobs j JOIN public.meetings m ON m.id = j.meeting_id
                WHERE j.organization_id = candidate.id
                  AND j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now())
                ORDER BY j.run_at LIMIT 1 FOR UPDATE OF j, m SKIP LOCKED;
            IF FOUND THEN
                UPDATE public.organizations SET served_at = clock_timestamp() WHERE id =
                    (SELECT o.id FROM public.organizations o WHERE o.id = candidate.id FOR NO KEY UPDATE SKIP LOCKED);
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION lock_due_job(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_due_job(uuid[]) TO meetra_runtime;
