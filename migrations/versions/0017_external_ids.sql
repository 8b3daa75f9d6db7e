-- Which external id each record of a target bears, as far as is known, and a series for the request ids of a lane.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_record ADD COLUMN external_id TEXT;
COMMENT ON COLUMN target_record.external_id IS 'that it bears there, as far as we know; null: not known';
-- Nothing is known yet, so that the index is made by one look at the table.
CREATE INDEX ix_target_record_external_id ON target_record (target_id, external_id) WHERE external_id IS NOT NULL;

ALTER TABLE delivery_lane ADD COLUMN series INTEGER DEFAULT 0 NOT NULL;
COMMENT ON COLUMN delivery_lane.series IS 'raised when an answer was about the record of another one: ids of requests are new ones then';
