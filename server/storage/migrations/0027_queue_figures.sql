-- How long the queue is, over all organizations: numbers alone, for whoever operates the server.
CREATE FUNCTION queue_figures() RETURNS TABLE (waiting bigint, running bigint, oldest_due interval)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT count(*) FILTER (WHERE lease_until IS NULL OR lease_until < now()),
                 count(*) FILTER (WHERE lease_until >= now()),
                 max(now() - run_at) FILTER (WHERE run_at <= now() AND (lease_until IS NULL OR lease_until < now()))
          FROM public.jobs $$;
REVOKE ALL ON FUNCTION queue_figures() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_figures() TO meetra_runtime;
