-- Why a target as a whole fails: of what kind its last failure was, and in which words.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_pulse ADD COLUMN failure_kind TEXT, ADD COLUMN failure_reason TEXT;
COMMENT ON COLUMN target_pulse.failure_kind IS 'of the last failure, while it fails; unopened: its connector could not be made';
