-- locks: search_meetings
--
-- Meanings are compared in two steps: sketches of many sentences, then the vectors of those whose sketches are closest.
--
-- Nothing is filled in here: a meeting without sketches is compared by its vectors alone, until the worker indexes it again.
ALTER TABLE search_meetings
    -- Of the vectors that the sketches are of; NULL, as what follows, where a version without sketches wrote the row.
    ADD COLUMN model text,
    -- Of the sentences with a vector: their places in the meeting, in order.
    ADD COLUMN numbers integer[],
    -- And their sketches, in the same order: a bit for each number of the vector, 1 where it is positive.
    ADD COLUMN sketches bit varying[];

-- Which meetings have sketches is told by the index alone. The table is small, a row for each meeting: nobody waits for long.
CREATE INDEX search_meetings_of_organization_with_version ON search_meetings (organization_id, meeting_id)
    INCLUDE (sentences, version);
-- Which has the same order, and less.
DROP INDEX search_meetings_of_organization;
