-- Every failed recording that is uploaded again is analysed again, whatever it failed of.
ALTER TABLE meetings DROP COLUMN retryable;
