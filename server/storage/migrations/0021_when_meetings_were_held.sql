-- When a meeting took place, as one moment: by the date that was given, else by when it came. Meetings of an organization
-- are compared in this order.

-- The moment of a date of ISO 8601 as server/meetings/dates.py accepts it: its start, in UTC where it has no zone; a week
-- without a day is its Monday. NULL for what is none. Moments beyond years 1 and 9999 are those at the ends.
CREATE FUNCTION moment_of_date(stated text) RETURNS timestamptz LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    parts text[] := regexp_match(stated, '^(\d{4})-?(?:(\d{2})-?(\d{2})|W(\d{2})(?:-?([1-7]))?|(\d{3}))'
        '(?:[Tt ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,6})\d*)?)?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)?)?$');
    day date;
    away interval;
BEGIN
    IF parts IS NULL THEN
        RETURN NULL;
    END IF;
    day := CASE
        WHEN parts[2] IS NOT NULL THEN make_date(parts[1]::int, parts[2]::int, parts[3]::int)
        -- The fourth of January lies in the first week of its year.
        WHEN parts[4] IS NOT NULL THEN date_trunc('week', make_date(parts[1]::int, 1, 4)::timestamp)::date
            + (parts[4]::int - 1) * 7 + coalesce(parts[5]::int, 1) - 1
        ELSE make_date(parts[1]::int, 1, 1) + parts[6]::int - 1
    END;
    away := make_interval(hours => coalesce(parts[12]::int, 0), mins => coalesce(parts[13]::int, 0));
    RETURN least(greatest((day::timestamp
        + make_interval(hours => coalesce(parts[7]::int, 0), mins => coalesce(parts[8]::int, 0),
            secs => coalesce(parts[9] || coalesce('.' || parts[10], ''), '0')::double precision)
        + CASE WHEN parts[11] = '-' THEN away ELSE -away END) AT TIME ZONE 'UTC',
        timestamptz '0001-01-01 00:00:00+00'), timestamptz '9999-12-31 23:59:59+00');
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN NULL;
END
$$;

ALTER TABLE meetings
    ADD COLUMN held_at timestamptz NOT NULL GENERATED ALWAYS AS (coalesce(moment_of_date(held_on), created_at)) STORED;
CREATE INDEX meetings_by_date_of_organization ON meetings (organization_id, held_at DESC, id DESC);
