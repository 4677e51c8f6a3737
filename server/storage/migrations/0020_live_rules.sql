-- The rules of an organization's live meetings, as the API checked them: what is told as an alert.
ALTER TABLE organizations
    ADD COLUMN live_rules jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(live_rules) = 'array');

GRANT UPDATE (live_rules) ON organizations TO meetra_runtime;
