-- What only the process that holds a live meeting knows of it, for lists that any process answers; and whether somebody
-- watches the meeting in another process, which the holder has to know. A report names speakers: it goes with the end.
ALTER TABLE live_meetings
    ADD COLUMN report jsonb,
    ADD COLUMN reported_at timestamptz,
    ADD COLUMN watched_at timestamptz;

CREATE INDEX live_meetings_running ON live_meetings (organization_id) WHERE NOT concluded;

-- A process reports of all meetings that it holds, of any organization, in one statement. Returned is for how many seconds
-- nobody has watched each in another process; meetings that are another's by now are left out.
CREATE FUNCTION report_live_meetings(held uuid[], fences integer[], reports text[])
    RETURNS TABLE (meeting_id uuid, unwatched_s double precision)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.live_meetings l SET report = r.report::jsonb, reported_at = now()
          FROM unnest(held, fences, reports) AS r (meeting_id, fence, report)
          WHERE l.meeting_id = r.meeting_id AND l.fence = r.fence AND NOT l.concluded
          RETURNING l.meeting_id, extract(epoch FROM now() - l.watched_at)::double precision $$;
REVOKE ALL ON FUNCTION report_live_meetings(uuid[], integer[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report_live_meetings(uuid[], integer[], text[]) TO meetra_runtime;
