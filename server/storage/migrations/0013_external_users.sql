-- Users whom an external issuer names by their address: they may have no password, and what voids tokens voids theirs.

ALTER TABLE users
    ALTER COLUMN password_hash DROP NOT NULL,
    -- Tokens of an external issuer carry no generation: those that were issued before a generation began are void.
    ADD COLUMN external_tokens_after timestamptz NOT NULL DEFAULT '-infinity';

CREATE FUNCTION void_external_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.external_tokens_after := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER void_external_tokens BEFORE UPDATE ON users FOR EACH ROW
    WHEN (OLD.token_generation IS DISTINCT FROM NEW.token_generation) EXECUTE FUNCTION void_external_tokens();

-- Into the organization of the transaction alone, by the policy; without a password.
GRANT INSERT (id, organization_id, email, role) ON users TO meetra_runtime;

-- The user to whom a token of an external issuer gives access now: none if it is void. `organization`: the only one whose
-- users count, empty for any.
CREATE FUNCTION user_of_external_token(wanted text, token uuid, issued_at timestamptz, organization text)
    RETURNS TABLE (user_id uuid, organization_id uuid, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT u.id, u.organization_id, u.role FROM public.users u
          JOIN public.organizations o ON o.id = u.organization_id
          WHERE u.email = wanted AND NOT u.disabled AND issued_at > u.external_tokens_after
          AND (organization = '' OR o.name = organization)
          AND NOT EXISTS (SELECT FROM public.logged_out_tokens l WHERE l.token_id = token) $$;

-- The organization in which users of an external issuer are made.
CREATE FUNCTION organization_by_name(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT id FROM public.organizations WHERE name = wanted $$;

DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOREACH signature IN ARRAY ARRAY['user_of_external_token(text, uuid, timestamptz, text)',
        'organization_by_name(text)']::regprocedure[]
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO meetra_runtime', signature);
    END LOOP;
END
$$;
