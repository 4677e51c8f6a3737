-- The audit log: who read, changed, deleted and exported what of an organization, from where. The servers add to it and
-- read it; nobody but the owner of the tables changes or deletes what is in it, except what has become old.
CREATE TABLE audit_events (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    happened_at timestamptz NOT NULL,
    -- Of several equal events in one row: when the last one happened, and how many they are.
    last_at timestamptz NOT NULL,
    count bigint NOT NULL CHECK (count > 0),
    actor text NOT NULL CHECK (actor IN ('user', 'key', 'operator', 'unknown')),
    -- Without foreign keys: what somebody did stays when they go.
    user_id uuid,
    key_id uuid,
    role text NOT NULL,
    method text NOT NULL,
    action text NOT NULL CHECK (action IN ('read', 'change', 'delete', 'export', 'login', 'refused')),
    object_kind text NOT NULL,
    object_id text NOT NULL,
    address text NOT NULL,
    request_id text NOT NULL,
    -- Empty: the call has begun, and this row was written before it did anything.
    status text NOT NULL,
    -- The row that was written when the call began; this one says how it ended.
    begun_id uuid
);
CREATE INDEX audit_events_newest_of_organization ON audit_events (organization_id, happened_at DESC, id DESC);
CREATE INDEX audit_events_ended ON audit_events (begun_id) WHERE begun_id IS NOT NULL;

-- Rows of a day (UTC), so that nobody fills the disk with events.
CREATE TABLE audit_days (
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    day date NOT NULL,
    action text NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (organization_id, day, action)
);

ALTER TABLE audit_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON audit_events USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT ON audit_events TO meetra_runtime;
ALTER TABLE audit_days ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON audit_days USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, UPDATE ON audit_days TO meetra_runtime;

-- Deletes up to `most` events of each organization that are older than so many days, and returns how many it deleted.
-- Events of the last 30 days stay, whatever is asked: a server that is taken over cannot hide what it did.
CREATE FUNCTION delete_old_audit_events(days integer, most integer)
    RETURNS bigint LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before timestamptz := now() - make_interval(days => greatest(days, 30));
    organization uuid;
    deleted bigint;
    total bigint := 0;
BEGIN
    FOR organization IN SELECT o.id FROM public.organizations o LOOP
        DELETE FROM public.audit_events WHERE id IN (
            SELECT e.id FROM public.audit_events e WHERE e.organization_id = organization AND e.happened_at < before
            ORDER BY e.happened_at LIMIT most);
        GET DIAGNOSTICS deleted = ROW_COUNT;
        total := total + deleted;
    END LOOP;
    DELETE FROM public.audit_days d WHERE d.day < (before AT TIME ZONE 'UTC')::date;
    RETURN total;
END
$$;
REVOKE ALL ON FUNCTION delete_old_audit_events(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION delete_old_audit_events(integer, integer) TO meetra_runtime;

-- The log names keys by their ids.
DROP FUNCTION user_of_key(bytea);
CREATE FUNCTION user_of_key(hash bytea)
    RETURNS TABLE (key_id uuid, user_id uuid, organization_id uuid, role text, scopes text[])
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.api_keys SET last_used_at = date_trunc('minute', now())
          WHERE secret_hash = hash AND last_used_at IS DISTINCT FROM date_trunc('minute', now());
          SELECT k.id, u.id, u.organization_id, u.role, k.scopes
          FROM public.api_keys k JOIN public.users u ON u.id = k.user_id
          WHERE k.secret_hash = hash AND NOT u.disabled AND (k.expires_at IS NULL OR k.expires_at > now()) $$;
REVOKE ALL ON FUNCTION user_of_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION user_of_key(bytea) TO meetra_runtime;
