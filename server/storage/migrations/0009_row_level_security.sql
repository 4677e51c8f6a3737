-- The second wall between organizations: whatever a statement says, the servers' role sees and changes the rows of one
-- organization, the one that the transaction set as `meetra.organization`; without it, none.
--
-- The owner of the tables, who migrates and administers, is not bound by this. The servers connect as another role, which
-- is `meetra_runtime` or a member of it. Who administers the cluster creates it: docs/operating.md.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'meetra_runtime') THEN
        RAISE EXCEPTION 'the role meetra_runtime does not exist'
            USING HINT = 'Create it as a superuser: CREATE ROLE meetra_runtime LOGIN PASSWORD ''...''; see docs/operating.md';
    END IF;
END
$$;

CREATE FUNCTION current_organization() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('meetra.organization', true), '')::uuid $$;

-- Every row names its organization, so that one comparison decides, whatever the table. Rows of a meeting take it from the
-- transaction, and the foreign key holds them to the meeting's.
ALTER TABLE meetings ADD CONSTRAINT meetings_id_organization_id_key UNIQUE (id, organization_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['jobs', 'conversations', 'speakers', 'insights', 'speaker_edits', 'live_meetings']
    LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN organization_id uuid', name);
        EXECUTE format('UPDATE %I t SET organization_id = m.organization_id FROM meetings m WHERE m.id = t.meeting_id', name);
        EXECUTE format('ALTER TABLE %I ALTER COLUMN organization_id SET NOT NULL,'
            ' ALTER COLUMN organization_id SET DEFAULT current_organization(),'
            ' DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (meeting_id, organization_id)'
            ' REFERENCES meetings (id, organization_id) ON DELETE CASCADE',
            name, name || '_meeting_id_fkey', name || '_meeting_id_fkey');
    END LOOP;
END
$$;

ALTER TABLE live_meetings ADD CONSTRAINT live_meetings_id_organization_id_key UNIQUE (meeting_id, organization_id);
ALTER TABLE live_events ADD COLUMN organization_id uuid;
UPDATE live_events e SET organization_id = l.organization_id FROM live_meetings l WHERE l.meeting_id = e.meeting_id;
ALTER TABLE live_events
    ALTER COLUMN organization_id SET NOT NULL,
    ALTER COLUMN organization_id SET DEFAULT current_organization(),
    DROP CONSTRAINT live_events_meeting_id_fkey,
    ADD CONSTRAINT live_events_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES live_meetings (meeting_id, organization_id) ON DELETE CASCADE;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['users', 'meetings', 'voices', 'jobs', 'conversations', 'speakers', 'insights',
        'speaker_edits', 'live_meetings', 'live_events']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
        EXECUTE format('GRANT SELECT ON %I TO meetra_runtime', name);
        IF name <> 'users' THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO meetra_runtime', name);
        END IF;
    END LOOP;
END
$$;
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON organizations USING (id = (SELECT current_organization()));
GRANT SELECT, UPDATE (recognise_voices) ON organizations TO meetra_runtime;

-- The servers check that the schema is theirs.
GRANT SELECT ON schema_migrations TO meetra_runtime;

-- What the servers may ask across organizations: these functions, and nothing else. They run as their owner.
CREATE FUNCTION user_by_email(wanted text)
    RETURNS TABLE (id uuid, organization_id uuid, email text, password_hash text, tokens_valid_after timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT u.id, u.organization_id, u.email, u.password_hash, u.tokens_valid_after FROM public.users u
          WHERE u.email = wanted $$;

CREATE FUNCTION user_by_id(wanted uuid)
    RETURNS TABLE (id uuid, organization_id uuid, email text, password_hash text, tokens_valid_after timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT u.id, u.organization_id, u.email, u.password_hash, u.tokens_valid_after FROM public.users u
          WHERE u.id = wanted $$;

-- The next job that is due, locked with its meeting until the transaction ends.
CREATE FUNCTION lock_due_job()
    RETURNS TABLE (meeting_id uuid, organization_id uuid, attempts integer)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT j.meeting_id, m.organization_id, m.attempts FROM public.jobs j
          JOIN public.meetings m ON m.id = j.meeting_id
          WHERE j.run_at <= now() AND (j.lease_until IS NULL OR j.lease_until < now())
          ORDER BY j.run_at LIMIT 1 FOR UPDATE OF j, m SKIP LOCKED $$;

-- Live meetings whose client stayed away for so long, or whose outcome is not published: at most 100.
CREATE FUNCTION unattended_live_meetings(grace interval)
    RETURNS TABLE (meeting_id uuid, organization_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT l.meeting_id, l.organization_id FROM public.live_meetings l
          WHERE NOT l.concluded AND (l.finished OR l.heard_at < now() - grace) ORDER BY l.heard_at LIMIT 100 $$;

CREATE FUNCTION record_contact(connected uuid[])
    RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ UPDATE public.live_meetings SET heard_at = now() WHERE meeting_id = ANY (connected) $$;

-- Which of these recordings have a meeting.
CREATE FUNCTION existing_recordings(organizations uuid[], hashes text[])
    RETURNS TABLE (organization_id uuid, file_hash text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT m.organization_id, m.file_hash FROM public.meetings m WHERE (m.organization_id, m.file_hash) IN
          (SELECT * FROM unnest(organizations, hashes)) $$;

DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOREACH signature IN ARRAY ARRAY['user_by_email(text)', 'user_by_id(uuid)', 'lock_due_job()',
        'unattended_live_meetings(interval)', 'record_contact(uuid[])', 'existing_recordings(uuid[], text[])']::regprocedure[]
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO meetra_runtime', signature);
    END LOOP;
END
$$;
