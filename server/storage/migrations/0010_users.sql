-- Users have roles, can be disabled, and can be deleted without their meetings; whatever voids a token does so at once.

ALTER TABLE users
    ADD CONSTRAINT users_id_organization_id_key UNIQUE (id, organization_id),
    ADD COLUMN role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'member', 'reader', 'bot')),
    ADD COLUMN disabled boolean NOT NULL DEFAULT false,
    -- Tokens carry the generation in which they were issued; those of another are void.
    ADD COLUMN token_generation integer NOT NULL DEFAULT 0;

-- Until now every user might do everything: whoever came first keeps that, and makes others owners as needed.
UPDATE users u SET role = 'owner'
    WHERE NOT EXISTS (SELECT FROM users e WHERE e.organization_id = u.organization_id AND (e.created_at, e.id) < (u.created_at, u.id));

CREATE INDEX users_newest_of_organization ON users (organization_id, created_at DESC, id DESC);

ALTER TABLE meetings
    ALTER COLUMN user_id DROP NOT NULL,
    DROP CONSTRAINT meetings_user_id_fkey,
    ADD CONSTRAINT meetings_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL;

-- Tokens that were logged out before they expired.
CREATE TABLE logged_out_tokens (
    token_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization() REFERENCES organizations ON DELETE CASCADE,
    user_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT logged_out_tokens_user_id_fkey FOREIGN KEY (user_id, organization_id)
        REFERENCES users (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX logged_out_tokens_of_user ON logged_out_tokens (user_id);

ALTER TABLE logged_out_tokens ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON logged_out_tokens USING (organization_id = (SELECT current_organization()));
GRANT SELECT, INSERT, DELETE ON logged_out_tokens TO meetra_runtime;
GRANT UPDATE (password_hash, role, disabled, token_generation), DELETE ON users TO meetra_runtime;

-- Every API process remembers users for moments: it is told whom to forget.
CREATE FUNCTION announce_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('meetra_users', OLD.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION announce_user();

CREATE FUNCTION announce_logout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('meetra_users', NEW.user_id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER INSERT ON logged_out_tokens FOR EACH ROW EXECUTE FUNCTION announce_logout();

-- The servers ask for users before they know an organization.
DROP FUNCTION user_by_email(text);
DROP FUNCTION user_by_id(uuid);
ALTER TABLE users DROP COLUMN tokens_valid_after;

CREATE FUNCTION user_by_email(wanted text)
    RETURNS TABLE (id uuid, organization_id uuid, email text, password_hash text, role text, disabled boolean,
        token_generation integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT u.id, u.organization_id, u.email, u.password_hash, u.role, u.disabled, u.token_generation
          FROM public.users u WHERE u.email = wanted $$;

-- The user to whom a token gives access now: none if it is void.
CREATE FUNCTION user_of_token(wanted uuid, token uuid, generation integer)
    RETURNS TABLE (user_id uuid, organization_id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT u.id, u.organization_id, u.role FROM public.users u
          WHERE u.id = wanted AND u.token_generation = generation AND NOT u.disabled
          AND NOT EXISTS (SELECT FROM public.logged_out_tokens l WHERE l.token_id = token) $$;

DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOREACH signature IN ARRAY ARRAY['user_by_email(text)', 'user_of_token(uuid, uuid, integer)']::regprocedure[]
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO meetra_runtime', signature);
    END LOOP;
END
$$;
