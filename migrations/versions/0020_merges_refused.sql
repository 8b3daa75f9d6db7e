-- Which records of a target it said that it cannot merge, and into which one.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_record ADD COLUMN unmergeable_into TEXT;
COMMENT ON COLUMN target_record.unmergeable_into IS 'native id of the record into which the target said that it cannot merge this one; null: it never did';
