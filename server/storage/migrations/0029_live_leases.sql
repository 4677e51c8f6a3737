-- Who holds a live meeting, until when unless it says so again, and whether its client has come to another process.
ALTER TABLE live_meetings
    -- Until when the holder holds the meeting unless it renews that; NULL: nobody does. It may be taken up afterwards.
    ADD COLUMN lease_until timestamptz,
    -- The machine on which the holder runs: a process of the same one can find out that it is dead.
    ADD COLUMN holder_machine text,
    -- The process that is the holder, which may take the meeting up again when it let go of it halfway.
    ADD COLUMN holder_process text,
    -- When a client came to a process that does not hold the meeting, since it was taken up last.
    ADD COLUMN wanted_at timestamptz,
    -- By whom: 1 a client, 2 the one whose single calls the holder takes, 3 one that replaces whoever is connected.
    ADD COLUMN wanted_by integer NOT NULL DEFAULT 0;

-- As before, and the leases of these meetings are renewed. Returned is also by whom each is wanted elsewhere, 0: by nobody.
DROP FUNCTION report_live_meetings(uuid[], integer[], text[]);
CREATE FUNCTION report_live_meetings(held uuid[], fences integer[], reports text[], lease interval)
    RETURNS TABLE (meeting_id uuid, unwatched_s double precision, wanted_by integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.live_meetings l
          SET report = r.report::jsonb, reported_at = now(), lease_until = now() + lease
          FROM unnest(held, fences, reports) AS r (meeting_id, fence, report)
          WHERE l.meeting_id = r.meeting_id AND l.fence = r.fence AND NOT l.concluded
          RETURNING l.meeting_id, extract(epoch FROM now() - l.watched_at)::double precision,
              CASE WHEN l.wanted_at > now() - interval '10 seconds' THEN l.wanted_by ELSE 0 END $$;
REVOKE ALL ON FUNCTION report_live_meetings(uuid[], integer[], text[], interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION report_live_meetings(uuid[], integer[], text[], interval) TO meetra_runtime;
