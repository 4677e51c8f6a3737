-- The next due job is found in the order of the queue, whatever the statistics of ``meetings`` say. They count no rows
-- after a vacuum of the empty table; then all jobs of an organization were joined with their meetings and sorted, to take
-- one of them.
--
-- As in 0011, but for the meeting: it is looked up, and locked, for one job after another.
CREATE OR REPLACE FUNCTION lock_due_job(passed_over uuid[] DEFAULT '{}')
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
                FROM public.jobs j
                    -- A subquery that locks is not reordered.
                    CROSS JOIN LATERAL (SELECT m.attempts FROM public.meetings m WHERE m.id = j.meeting_id
                                        FOR UPDATE SKIP LOCKED) m
                WHERE j.organization_id = candidate.id
                  AND j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now())
                ORDER BY j.run_at LIMIT 1 FOR UPDATE OF j SKIP LOCKED;
            IF FOUND THEN
                UPDATE public.organizations SET served_at = clock_timestamp() WHERE id =
                    (SELECT o.id FROM public.organizations o WHERE o.id = candidate.id FOR NO KEY UPDATE SKIP LOCKED);
                RETURN;
            END IF;
        END LOOP;
    END LOOP;
END
$$;
