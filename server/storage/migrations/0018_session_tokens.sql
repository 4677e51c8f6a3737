-- When the last event was stored: session tokens of a meeting are void some time later.
ALTER TABLE live_meetings ADD COLUMN concluded_at timestamptz;

-- The user to whom a session token gives access now: none if what it was made with is void. `key`: made with this key,
-- else with a token of this id and generation.
CREATE FUNCTION user_of_session_token(wanted uuid, token uuid, generation integer, key uuid)
    RETURNS TABLE (key_id uuid, user_id uuid, organization_id uuid, role text, scopes text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT k.id, u.id, u.organization_id, u.role, k.scopes
          FROM public.users u LEFT JOIN public.api_keys k ON k.id = key AND k.user_id = u.id
          WHERE u.id = wanted AND NOT u.disabled
          AND CASE WHEN key IS NULL
              THEN u.token_generation = generation
                  AND NOT EXISTS (SELECT FROM public.logged_out_tokens l WHERE l.token_id = token)
              ELSE k.id IS NOT NULL AND (k.expires_at IS NULL OR k.expires_at > now()) END $$;

REVOKE ALL ON FUNCTION user_of_session_token(uuid, uuid, integer, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION user_of_session_token(uuid, uuid, integer, uuid) TO meetra_runtime;
