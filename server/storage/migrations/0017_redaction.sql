-- What is redacted: kinds separated by commas (email, phone, card, iban, name); empty: nothing.
ALTER TABLE organizations
    ADD COLUMN redact text NOT NULL DEFAULT ''
        CHECK (redact ~ '^((email|phone|card|iban|name)(,(email|phone|card|iban|name))*)?$');

GRANT UPDATE (redact) ON organizations TO meetra_runtime;

ALTER TABLE meetings
    -- Fixed when the recording is accepted, or the live meeting opened.
    ADD COLUMN redact text NOT NULL DEFAULT ''
        CHECK (redact ~ '^((email|phone|card|iban|name)(,(email|phone|card|iban|name))*)?$'),
    -- What is silent wherever audio of the meeting is handed out: [[start, end], ...] in milliseconds, in time order.
    ADD COLUMN redacted_ranges jsonb NOT NULL DEFAULT '[]';
