-- The states that may follow one another, as server/lifecycle.py has them: no statement changes a meeting in another way.
CREATE FUNCTION check_meeting_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) IN (
        ('receiving', 'queued'),
        ('queued', 'processing'),
        ('queued', 'failed'),
        ('processing', 'queued'),
        ('processing', 'ready'),
        ('processing', 'failed'),
        ('failed', 'queued')
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a meeting that is % cannot become %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER meeting_status BEFORE UPDATE OF status ON meetings
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_meeting_status();
