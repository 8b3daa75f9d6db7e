-- How a target stands once its records are matched: as before it was given an entity type that is new to it.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_standing
    ADD COLUMN state_after TEXT,
    ADD COLUMN reason_after TEXT,
    ADD CONSTRAINT ck_target_standing_state_after CHECK (state_after IN ('draining', 'paused', 'stopped', 'disabled'));
COMMENT ON COLUMN target_standing.state_after IS 'once its records are matched; null: it runs then';
COMMENT ON COLUMN target_standing.reason_after IS 'of that state';
