-- What happens to records inside their sources, kept as facts, and what follows from them for each record.

SET LOCAL lock_timeout = '1s';

CREATE TABLE source_event (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_type TEXT,
    instance_id TEXT NOT NULL,
    source_key TEXT,
    other_key TEXT,
    happened_at TIMESTAMP WITH TIME ZONE,
    details JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    event_id TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    ended_because TEXT,
    CONSTRAINT pk_source_event PRIMARY KEY (id),
    CONSTRAINT ck_source_event_kind CHECK (kind IN ('merged', 're_keyed', 'instance_migrated', 'deleted', 'access_lost', 'vanished',
        'access_regained', 'instance_retired', 'instance_returned')),
    CONSTRAINT ck_source_event_whole_instance CHECK ((source_key IS NULL) = (kind IN ('instance_retired', 'instance_returned'))),
    CONSTRAINT ck_source_event_other_key CHECK ((other_key IS NOT NULL) = (kind IN ('merged', 're_keyed', 'instance_migrated'))),
    CONSTRAINT ck_source_event_two_keys CHECK (other_key <> source_key),
    CONSTRAINT ck_source_event_ended_because CHECK (ended_because IN ('overtaken', 'revoked')),
    CONSTRAINT ck_source_event_ended CHECK ((ended_at IS NULL) = (ended_because IS NULL)),
    CONSTRAINT ck_source_event_happened_at_finite CHECK (isfinite(happened_at)),
    CONSTRAINT fk_source_event_instance_id FOREIGN KEY(instance_id) REFERENCES source_instance (id),
    CONSTRAINT fk_source_event_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ix_source_event_source_key ON source_event (source_key);
CREATE INDEX ix_source_event_other_key ON source_event (other_key) WHERE other_key IS NOT NULL;
CREATE INDEX ix_source_event_instance_id ON source_event (instance_id, id);
CREATE INDEX ix_source_event_event_id ON source_event (event_id) WHERE event_id IS NOT NULL;
COMMENT ON COLUMN source_event.source_key IS 'as printed; none for what happened to a whole instance';
COMMENT ON COLUMN source_event.other_key IS 'as printed: the survivor of a merge, or the new key';
COMMENT ON COLUMN source_event.happened_at IS 'by the clock of the source';
COMMENT ON COLUMN source_event.details IS 'a reason; no values of records';
COMMENT ON COLUMN source_event.event_id IS 'the change of identity that carried it out; none while its other record is not known';
COMMENT ON COLUMN source_event.ended_because IS 'overtaken: its record lived on after it; revoked: somebody took it back';

-- Since when a record contributes no more, and why: asked when a question is about the past.
CREATE TABLE source_ending (
    record_id TEXT NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE,
    because TEXT NOT NULL,
    successor_id TEXT,
    who TEXT NOT NULL,
    CONSTRAINT pk_source_ending PRIMARY KEY (record_id, recorded_from),
    CONSTRAINT ck_source_ending_because CHECK (because IN ('merged', 're_keyed', 'instance_migrated', 'instance_retired')),
    CONSTRAINT ck_source_ending_interval CHECK (recorded_to >= recorded_from),
    CONSTRAINT fk_source_ending_record_id FOREIGN KEY(record_id) REFERENCES source_record (id),
    CONSTRAINT fk_source_ending_successor_id FOREIGN KEY(successor_id) REFERENCES source_record (id)
);
CREATE UNIQUE INDEX ux_source_ending_open ON source_ending (record_id) WHERE recorded_to IS NULL;

ALTER TABLE source_record
    ADD COLUMN ended_because TEXT,
    ADD COLUMN successor_id TEXT,
    ADD COLUMN unseen_because TEXT,
    ADD CONSTRAINT fk_source_record_successor_id FOREIGN KEY(successor_id) REFERENCES source_record (id),
    ADD CONSTRAINT ck_source_record_ended_because
        CHECK (ended_because IN ('merged', 're_keyed', 'instance_migrated', 'instance_retired')),
    ADD CONSTRAINT ck_source_record_ended CHECK (ended_because IS NULL OR state <> 'deleted'),
    ADD CONSTRAINT ck_source_record_successor CHECK (successor_id IS NULL OR ended_because IS NOT NULL),
    ADD CONSTRAINT ck_source_record_unseen_because CHECK (unseen_because IN ('access_lost', 'vanished'));
CREATE INDEX ix_source_record_successor_id ON source_record (successor_id) WHERE successor_id IS NOT NULL;
COMMENT ON COLUMN source_record.ended_because IS 'it stays a member and matches, but no live key any more and silent beside others';
COMMENT ON COLUMN source_record.successor_id IS 'the record whose key its source uses in place of it';
COMMENT ON COLUMN source_record.unseen_because IS 'its source does not show it any more, for a reason that does not end it';

ALTER TABLE source_instance
    ADD COLUMN retired_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN is_settled BOOLEAN DEFAULT true NOT NULL;
COMMENT ON COLUMN source_instance.retired_at IS 'since when the hub holds all its records for ended';
COMMENT ON COLUMN source_instance.is_settled IS 'false while its records still have to follow its retirement or return';

ALTER TABLE review
    DROP CONSTRAINT ck_review_kind,
    ADD CONSTRAINT ck_review_kind CHECK (kind IN ('possible_match', 'join', 'split', 'unsure', 'contradiction'));
