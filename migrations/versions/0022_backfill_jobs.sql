-- A backfill can be ordered: what it is to come to, how far it is, who works on it until when, and why it ended so.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_report
    ADD COLUMN aim TEXT,
    ADD COLUMN progress JSONB,
    ADD COLUMN attempt INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN lease_until TIMESTAMP WITH TIME ZONE,
    ADD COLUMN reason TEXT DEFAULT '' NOT NULL,
    DROP CONSTRAINT ck_target_report_state,
    ADD CONSTRAINT ck_target_report_state CHECK
        (state IN ('ordered', 'reading', 'failed', 'cancelled', 'planned', 'applied', 'found', 'repaired')),
    ADD CONSTRAINT ck_target_report_aim CHECK (aim IN ('planned', 'applied'));
COMMENT ON COLUMN target_report.aim IS 'what a job is to come to; null: whoever asked waits for it';
COMMENT ON COLUMN target_report.progress IS 'of a job: entity type, records of it read so far, which type of how many';
COMMENT ON COLUMN target_report.attempt IS 'how often a worker took the job up; whoever writes must name it';
COMMENT ON COLUMN target_report.lease_until IS 'another worker may take the job up from then on';
COMMENT ON COLUMN target_report.reason IS 'why it failed, or by whom it was cancelled';
CREATE UNIQUE INDEX ux_target_report_under_way ON target_report (target_id)
    WHERE aim IS NOT NULL AND state IN ('ordered', 'reading');
