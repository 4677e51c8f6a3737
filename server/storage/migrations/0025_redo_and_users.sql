-- Corrections that were undone can be made once more, until another correction is made.

ALTER TABLE speaker_edits
    -- Undone when another correction was made: no redo brings it back.
    ADD COLUMN superseded boolean NOT NULL DEFAULT false;

-- In which order corrections were undone and made until now is not known.
UPDATE speaker_edits SET superseded = true WHERE undone;

-- Whether the server has one organization: then its owners learn of nobody else's addresses when they add one that is taken.
CREATE FUNCTION only_organization() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT count(*) = 1 FROM (SELECT FROM public.organizations LIMIT 2) o $$;
REVOKE ALL ON FUNCTION only_organization() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION only_organization() TO meetra_runtime;
