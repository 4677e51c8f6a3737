-- API keys: for bots and backends, in place of a password.
CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    user_id uuid NOT NULL,
    name text NOT NULL,
    -- SHA-256. A key is 256 random bits: nobody finds it by trying, however fast the hash.
    secret_hash bytea NOT NULL UNIQUE,
    scopes text[] NOT NULL CHECK (scopes <> '{}' AND scopes <@ ARRAY['upload', 'read', 'live', 'admin']),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    -- To the minute.
    last_used_at timestamptz,
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES users (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX api_keys_newest_of_organization ON api_keys (organization_id, created_at DESC, id DESC);
CREATE INDEX api_keys_of_user ON api_keys (user_id);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON api_keys USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, DELETE ON api_keys TO meetra_runtime;

CREATE FUNCTION announce_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('meetra_users', OLD.user_id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION announce_key();

-- The user to whom a key gives access now, noting that it is used: none if it is void.
CREATE FUNCTION user_of_key(hash bytea)
    RETURNS TABLE (user_id uuid, organization_id uuid, role text, scopes text[])
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.api_keys SET last_used_at = date_trunc('minute', now())
          WHERE secret_hash = hash AND last_used_at IS DISTINCT FROM date_trunc('minute', now());
          SELECT u.id, u.organization_id, u.role, k.scopes FROM public.api_keys k JOIN public.users u ON u.id = k.user_id
          WHERE k.secret_hash = hash AND NOT u.disabled AND (k.expires_at IS NULL OR k.expires_at > now()) $$;

REVOKE ALL ON FUNCTION user_of_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION user_of_key(bytea) TO meetra_runtime;
