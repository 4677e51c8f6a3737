-- A name is found by fewer of its pieces: those that lie side by side, and the last one, instead of each run of three. A
-- word that all meetings of an organization have in their names has a long list for each piece, and all of them are read.
CREATE OR REPLACE FUNCTION pieces_to_find(part text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN length(part) < 3 THEN ARRAY[part]
              ELSE ARRAY(SELECT DISTINCT substr(part, least(place, length(part) - 2), 3)
                         FROM generate_series(1, length(part), 3) place) END $$;
