-- Corrections that were undone can be made once more, until another correction is made.

ALTER TABLE speaker_edits
    -- Undone when another correction was made: no redo brings it back.
    ADD COLUMN superseded boolean NOT NULL DEFAULT false;

-- In which order corrections were undone and made until now is not known.
UPDATE speaker_edits SET superseded = true WHERE undone;
