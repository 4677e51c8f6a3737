-- Webhooks: where an organization is told of what happens, what there is to tell, and what became of it.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    url text NOT NULL,
    description text NOT NULL,
    events text[] NOT NULL,
    -- Encrypted with a key that is not in the database.
    secret bytea NOT NULL,
    -- The secret before, with which requests are signed too until then.
    previous_secret bytea,
    previous_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    paused_at timestamptz,
    -- Why it is paused.
    note text NOT NULL DEFAULT '',
    -- Attempts that failed since the last one that did not, and when the first of them was.
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    -- Events that were not kept for it, because too many wait.
    dropped bigint NOT NULL DEFAULT 0,
    -- Nothing is sent before.
    not_before timestamptz NOT NULL DEFAULT now(),
    -- When a worker last took it.
    served_at timestamptz NOT NULL DEFAULT to_timestamp(0),
    -- One worker at a time sends to it: fenced, as jobs are.
    lease_until timestamptz,
    fence integer NOT NULL DEFAULT 0,
    CONSTRAINT webhooks_id_organization_id_key UNIQUE (id, organization_id)
);
CREATE INDEX webhooks_of_organization ON webhooks (organization_id, created_at, id);

-- What happened, as it is told: stored in the transaction in which it happens. The body is kept as text, so that every
-- attempt sends the same bytes.
CREATE TABLE webhook_events (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    -- NULL: about no meeting.
    meeting_id uuid,
    type text NOT NULL,
    body text NOT NULL CHECK (octet_length(body) <= 20000),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_events_id_organization_id_key UNIQUE (id, organization_id),
    CONSTRAINT webhook_events_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES meetings (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX webhook_events_of_meeting ON webhook_events (meeting_id);
CREATE INDEX webhook_events_by_age ON webhook_events (created_at);

-- What is to be told to whom, and each attempt to do so.
CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    -- Since it was last queued.
    attempts integer NOT NULL DEFAULT 0,
    first_attempt_at timestamptz,
    next_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    -- The last attempts: [{"at": text, "status": number, "error": text, "ms": number}, ...]
    log jsonb NOT NULL DEFAULT '[]',
    UNIQUE (webhook_id, event_id),
    CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id, organization_id)
        REFERENCES webhooks (id, organization_id) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_event_id_fkey FOREIGN KEY (event_id, organization_id)
        REFERENCES webhook_events (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_newest_of_webhook ON webhook_deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhooks', 'webhook_events', 'webhook_deliveries']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO meetra_runtime', name);
    END LOOP;
END
$$;

-- How often the meeting got ready or failed: names the events that say so.
ALTER TABLE meetings ADD COLUMN outcomes integer NOT NULL DEFAULT 0;

-- Leases the webhook that has something to send and was served least recently, of any organization but those passed over.
CREATE FUNCTION lease_due_webhook(lease interval, passed_over uuid[])
    RETURNS TABLE (webhook_id uuid, organization_id uuid, fence integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.webhooks w SET lease_until = now() + lease, fence = w.fence + 1, served_at = now() WHERE w.id = (
              SELECT d.id FROM public.webhooks d
              WHERE d.paused_at IS NULL AND d.not_before <= now() AND (d.lease_until IS NULL OR d.lease_until < now())
                AND d.organization_id <> ALL (passed_over)
                AND EXISTS (SELECT FROM public.webhook_deliveries s WHERE s.webhook_id = d.id AND s.state = 'waiting'
                            AND s.next_at <= now())
              ORDER BY d.served_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
          RETURNING w.id, w.organization_id, w.fence $$;
REVOKE ALL ON FUNCTION lease_due_webhook(interval, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lease_due_webhook(interval, uuid[]) TO meetra_runtime;

-- Deletes up to `most` deliveries that are older than so many days, and as many events that nobody is to be told any more.
CREATE FUNCTION delete_old_webhook_deliveries(days integer, most integer)
    RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    deleted bigint;
    total bigint;
BEGIN
    DELETE FROM public.webhook_deliveries WHERE id IN (
        SELECT d.id FROM public.webhook_deliveries d WHERE d.created_at < now() - make_interval(days => greatest(days, 1))
        ORDER BY d.created_at LIMIT most);
    GET DIAGNOSTICS total = ROW_COUNT;
    DELETE FROM public.webhook_events WHERE id IN (
        SELECT e.id FROM public.webhook_events e WHERE e.created_at < now() - interval '1 hour'
          AND NOT EXISTS (SELECT FROM public.webhook_deliveries d WHERE d.event_id = e.id)
        ORDER BY e.created_at LIMIT most);
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN total + deleted;
END
$$;
REVOKE ALL ON FUNCTION delete_old_webhook_deliveries(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_old_webhook_deliveries(integer, integer) TO meetra_runtime;
