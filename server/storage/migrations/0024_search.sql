-- Search: the sentences of finished meetings, as words of their language and as vectors of their meaning.
--
-- pgvector compares the vectors. Only a superuser may create it where the cluster does not trust it: docs/operating.md.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS vector;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE EXCEPTION 'the extension vector (pgvector, 0.7 or newer) is not there: %', SQLERRM
        USING HINT = 'Install pgvector, and as a superuser: CREATE EXTENSION vector; see docs/operating.md';
END
$$;

-- A meeting whose sentences are searched.
CREATE TABLE search_meetings (
    meeting_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL DEFAULT current_organization(),
    -- Of what makes the rows; meetings with an older one are indexed again.
    version integer NOT NULL,
    sentences integer NOT NULL,
    CONSTRAINT search_meetings_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES meetings (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX search_meetings_of_organization ON search_meetings (organization_id);

-- A sentence, with the corrections in force. Names of speakers are joined on reading.
CREATE TABLE search_sentences (
    meeting_id uuid NOT NULL,
    organization_id uuid NOT NULL DEFAULT current_organization(),
    -- Its place in the meeting.
    number integer NOT NULL,
    speaker integer NOT NULL,
    start_ms integer NOT NULL,
    end_ms integer NOT NULL,
    -- BCP 47 primary tag; empty if unknown.
    language text NOT NULL,
    -- The topic in which it is said: its name, and name and keywords without case, one a line.
    topic text NOT NULL,
    topic_key text NOT NULL,
    text text NOT NULL,
    -- How its words are brought to their stems: a text search configuration.
    configuration text NOT NULL,
    -- Its words, and the lexeme of its organization, so that the index finds one organization's sentences alone.
    words tsvector NOT NULL,
    -- The model of the vector; empty without one. Vectors of different models cannot be compared.
    model text NOT NULL,
    vector halfvec,
    PRIMARY KEY (meeting_id, number),
    CONSTRAINT search_sentences_meeting_id_fkey FOREIGN KEY (meeting_id, organization_id)
        REFERENCES meetings (id, organization_id) ON DELETE CASCADE
);
CREATE INDEX search_sentences_words ON search_sentences USING gin (words);
-- Also tells which configurations an organization has, without a look at each sentence.
CREATE INDEX search_sentences_of_organization ON search_sentences (organization_id, configuration);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['search_meetings', 'search_sentences']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own_organization ON %I USING (organization_id = (SELECT current_organization()))', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO meetra_runtime', name);
    END LOOP;
END
$$;

-- The lexeme of the transaction's organization. No word has a sign like its first.
CREATE FUNCTION organization_lexeme()
    RETURNS text LANGUAGE sql STABLE AS $$ SELECT '@' || public.current_organization()::text $$;

-- The sentences of the transaction's organization that have a word, with which of the terms they have: bit t-1 for term t.
--
-- Row-level security would not let the index answer this: the operator of text search is not known to keep what it sees
-- to itself, so every row of the organization would be read. The function reads as the owner, and names the
-- organization that row-level security would.
--
-- any_term: what a sentence must match. configurations: those of the sentences. terms: for each configuration, all terms
-- in it, one after another; a term that is no word there is null.
CREATE FUNCTION sentences_with_words(any_term tsquery, configurations text[], terms tsquery[])
    RETURNS TABLE (organization_id uuid, meeting_id uuid, number integer, configuration text, hits bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT f.organization_id, f.meeting_id, f.number, f.configuration, f.hits FROM (
              SELECT s.organization_id, s.meeting_id, s.number, s.configuration,
                     (SELECT coalesce(sum(1::bigint << t - 1), 0)::bigint
                      FROM generate_series(1, cardinality(terms) / cardinality(configurations)) t
                      WHERE s.words @@ terms[(array_position(configurations, s.configuration) - 1)
                                             * (cardinality(terms) / cardinality(configurations)) + t]) AS hits
              FROM public.search_sentences s
              WHERE s.words @@ (quote_literal(public.organization_lexeme())::tsquery && any_term)
                AND s.organization_id = public.current_organization()) f
          WHERE f.hits > 0 $$;

-- Finished meetings with a transcript that this version has not indexed: the newest first, of any organization.
CREATE FUNCTION meetings_to_index(wanted integer, passed_over uuid[], most integer)
    RETURNS TABLE (meeting_id uuid, organization_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$ SELECT m.id, m.organization_id FROM public.meetings m
          WHERE m.status = 'ready' AND m.transcript_deleted_at IS NULL AND m.id <> ALL (passed_over)
            AND NOT EXISTS (SELECT FROM public.search_meetings i WHERE i.meeting_id = m.id AND i.version >= wanted)
          ORDER BY m.created_at DESC LIMIT most $$;

DO $$
DECLARE
    signature regprocedure;
BEGIN
    FOREACH signature IN ARRAY ARRAY['sentences_with_words(tsquery, text[], tsquery[])',
        'meetings_to_index(integer, uuid[], integer)']::regprocedure[]
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO meetra_runtime', signature);
    END LOOP;
END
$$;
