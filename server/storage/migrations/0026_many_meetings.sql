-- Lists and searches that take as long with very many meetings as with few: an index for each order, and one for parts of names.

-- What is indexed depends on the text alone. So it always was: the collation is named in the function.
ALTER FUNCTION folded(text) IMMUTABLE PARALLEL SAFE;

-- By what a list is sorted by name: as much of it as an index takes. Under row-level security an index is not asked for an
-- expression that might tell what it sees; a column it is.
ALTER TABLE meetings ADD COLUMN name_key text NOT NULL GENERATED ALWAYS AS (left(folded(name), 200)) STORED;

-- One order within each status: a list of some statuses reads as many rows of each as it shows, and joins them.
CREATE INDEX meetings_by_creation ON meetings (organization_id, status, created_at DESC, id DESC);
CREATE INDEX meetings_by_date ON meetings (organization_id, status, held_at DESC, id DESC);
CREATE INDEX meetings_by_name ON meetings (organization_id, status, name_key DESC, id DESC);
CREATE INDEX meetings_by_length ON meetings (organization_id, status, coalesce(duration_ms, 0) DESC, id DESC);
CREATE INDEX meetings_by_status ON meetings (organization_id, status DESC, id DESC);
-- meetings_of_organization has the same order, and more.
DROP INDEX meetings_newest_of_organization;

-- The pieces by which any part of a text is found: its single letters, pairs and runs of three.
CREATE FUNCTION pieces_of(whole text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT coalesce(array_agg(DISTINCT p.piece), '{}') FROM (
              SELECT letter AS a, lead(letter) OVER w AS b, lead(letter, 2) OVER w AS c
              FROM unnest(string_to_array(whole, NULL)) WITH ORDINALITY AS l (letter, place) WINDOW w AS (ORDER BY place)) t
          CROSS JOIN LATERAL (VALUES (a), (a || b), (a || b || c)) AS p (piece) WHERE p.piece IS NOT NULL $$;

-- The pieces that a text must have so that it may have this part: its runs of three, else the part itself.
CREATE FUNCTION pieces_to_find(part text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN length(part) < 3 THEN ARRAY[part]
              ELSE ARRAY(SELECT piece FROM unnest(public.pieces_of(part)) piece WHERE length(piece) = 3) END $$;

-- Names by which a list of meetings is searched, without case: triggers keep them as meetings and speakers are.
CREATE TABLE meeting_names (
    meeting_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization(),
    name text NOT NULL,
    -- Of its active speakers, one a line.
    people text NOT NULL DEFAULT '',
    CONSTRAINT meeting_names_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES meetings (id, organization_id) ON DELETE CASCADE
);
INSERT INTO meeting_names (meeting_id, organization_id, name, people)
    SELECT m.id, m.organization_id, folded(m.name), coalesce((SELECT string_agg(folded(s.alias), E'\n' ORDER BY s.label)
        FROM speakers s WHERE s.meeting_id = m.id AND s.active), '') FROM meetings m;
-- Each also has its organization as a piece, so that common names of one organization cost no other anything. No list of
-- changes that a search would have to read besides: it answers as fast after many changes.
CREATE INDEX meeting_names_pieces ON meeting_names
    USING gin ((pieces_of(name || E'\n' || people) || ('@' || organization_id::text))) WITH (fastupdate = off);

ALTER TABLE meeting_names ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON meeting_names USING (organization_id = (SELECT current_organization()));
GRANT SELECT ON meeting_names TO meetra_runtime;

CREATE FUNCTION keep_meeting_name() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    INSERT INTO public.meeting_names (meeting_id, organization_id, name)
        VALUES (NEW.id, NEW.organization_id, public.folded(NEW.name))
        ON CONFLICT (meeting_id) DO UPDATE SET name = excluded.name;
    RETURN NULL;
END
$$;
CREATE TRIGGER meeting_is_added AFTER INSERT ON meetings FOR EACH ROW EXECUTE FUNCTION keep_meeting_name();
CREATE TRIGGER meeting_is_renamed AFTER UPDATE OF name ON meetings FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION keep_meeting_name();

CREATE FUNCTION keep_people() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    meeting uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.meeting_id ELSE NEW.meeting_id END;
BEGIN
    -- Two changes of one meeting's speakers come one after the other: the second sees the first. None if it is being deleted.
    PERFORM FROM public.meeting_names n WHERE n.meeting_id = meeting FOR UPDATE;
    UPDATE public.meeting_names n SET people = p.people
        FROM (SELECT coalesce(string_agg(public.folded(s.alias), E'\n' ORDER BY s.label), '') AS people
              FROM public.speakers s WHERE s.meeting_id = meeting AND s.active) p
        WHERE n.meeting_id = meeting AND n.people <> p.people;
    RETURN NULL;
END
$$;
CREATE TRIGGER speaker_is_added AFTER INSERT OR DELETE ON speakers FOR EACH ROW EXECUTE FUNCTION keep_people();
CREATE TRIGGER speaker_is_changed AFTER UPDATE OF alias, active ON speakers FOR EACH ROW
    WHEN ((OLD.alias, OLD.active) IS DISTINCT FROM (NEW.alias, NEW.active)) EXECUTE FUNCTION keep_people();

-- Meetings of the transaction's organization that have all these words in their names, each in one of them, and this text in
-- the name of a speaker; empty: any. As sentences_with_words, it reads as the owner so that the index can answer.
CREATE FUNCTION meetings_with_names(words text[], person text)
    RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT n.meeting_id FROM public.meeting_names n
          WHERE public.pieces_of(n.name || E'\n' || n.people) || ('@' || n.organization_id::text) @> (
                  SELECT array_agg(piece) FROM (
                      SELECT unnest(public.pieces_to_find(public.folded(part))) AS piece
                      FROM unnest(words || person) part WHERE part <> ''
                      UNION SELECT public.organization_lexeme()) pieces)
            AND n.organization_id = public.current_organization()
            AND strpos(n.people, public.folded(person)) > 0
            AND (SELECT bool_and(strpos(n.name || E'\n' || n.people, public.folded(word)) > 0) FROM unnest(words) word)
                IS NOT FALSE $$;
REVOKE ALL ON FUNCTION meetings_with_names(text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION meetings_with_names(text[], text) TO meetra_runtime;

-- How many sentences an organization has is estimated from the first meetings by their ids.
DROP INDEX search_meetings_of_organization;
CREATE INDEX search_meetings_of_organization ON search_meetings (organization_id, meeting_id) INCLUDE (sentences);

-- So that what it finds is looked up row by row, and no table is read whole for it.
ALTER FUNCTION sentences_with_words(tsquery, text[], tsquery[]) ROWS 10;

-- Who did what with a meeting, without a look at what else was done.
CREATE INDEX audit_events_of_object ON audit_events (organization_id, object_id, happened_at DESC, id DESC)
    WHERE object_id <> '';

-- Receipts of one meeting, and deliveries that failed, among many others.
CREATE INDEX deletions_of_recording ON deletions (organization_id, file_hash, deleted_at DESC, id DESC);
CREATE INDEX webhook_deliveries_of_state ON webhook_deliveries (webhook_id, state, created_at DESC, id DESC);
