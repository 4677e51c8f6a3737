-- The trace of whoever queued a job, which the worker continues: a header traceparent, or nothing.
ALTER TABLE jobs ADD COLUMN trace text NOT NULL DEFAULT '' CHECK (length(trace) <= 64);
