-- Lanes with leases and failures, how each target stands, what each of its records holds, and what is frozen.

SET LOCAL lock_timeout = '1s';

ALTER TABLE delivery_lane
    ADD COLUMN state TEXT DEFAULT 'ready' NOT NULL,
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ADD COLUMN not_before TIMESTAMP WITH TIME ZONE,
    ADD COLUMN lease_token TEXT,
    ADD COLUMN attempts INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN failure_kind TEXT,
    ADD COLUMN failure_reason TEXT,
    ADD COLUMN failing_since TIMESTAMP WITH TIME ZONE,
    ADD COLUMN waits_for TEXT,
    ADD COLUMN is_forced BOOLEAN DEFAULT false NOT NULL,
    ADD CONSTRAINT ck_delivery_lane_state CHECK (state IN ('ready', 'waiting', 'dead'));
COMMENT ON COLUMN delivery_lane.due_at IS 'when it is told next; of a leased one when its lease ends';
COMMENT ON COLUMN delivery_lane.not_before IS 'news of merges and splits wait until then for an undo';
COMMENT ON COLUMN delivery_lane.lease_token IS 'whoever settles must name it';
COMMENT ON COLUMN delivery_lane.attempts IS 'failed ones in a row';
COMMENT ON COLUMN delivery_lane.waits_for IS 'the golden record that the target has to know first';
COMMENT ON COLUMN delivery_lane.is_forced IS 'told again though the target holds it already';
-- What the index includes lets depth and age of a million waiting lanes be counted without a look at the table.
CREATE INDEX ix_delivery_lane_due ON delivery_lane (target_id, due_at)
    INCLUDE (state, recorded_at, not_before, failure_kind) WHERE acknowledged < head AND state <> 'dead';
CREATE INDEX ix_delivery_lane_dead ON delivery_lane (target_id, golden_id) WHERE state = 'dead';
CREATE INDEX ix_delivery_lane_waits_for ON delivery_lane (target_id, waits_for) WHERE waits_for IS NOT NULL;
-- A queue: its dead rows are swept when a fiftieth has changed, not a fifth, so that claims and counts stay quick.
ALTER TABLE delivery_lane SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02);

CREATE TABLE target_standing (
    target_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_target_standing PRIMARY KEY (target_id),
    CONSTRAINT fk_target_standing_target_id FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE,
    CONSTRAINT ck_target_standing_state CHECK (state IN ('backfill', 'running', 'draining', 'paused', 'stopped', 'disabled'))
);

CREATE TABLE target_pulse (
    target_id TEXT NOT NULL,
    failures INTEGER NOT NULL,
    failing_since TIMESTAMP WITH TIME ZONE,
    opens_at TIMESTAMP WITH TIME ZONE,
    succeeded_at TIMESTAMP WITH TIME ZONE,
    tokens DOUBLE PRECISION NOT NULL,
    tokens_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_target_pulse PRIMARY KEY (target_id),
    CONSTRAINT fk_target_pulse_target_id FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE
);
COMMENT ON COLUMN target_pulse.failures IS 'calls in a row that the target as a whole did not answer';
COMMENT ON COLUMN target_pulse.opens_at IS 'until then the circuit is open: nothing is sent';
COMMENT ON COLUMN target_pulse.tokens IS 'calls that its rate allows at tokens_at';

CREATE TABLE delivery_order (
    id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    asked JSONB NOT NULL,
    lanes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_delivery_order PRIMARY KEY (id),
    CONSTRAINT ck_delivery_order_kind CHECK (kind IN ('replay', 'skip', 'republish'))
);
COMMENT ON TABLE delivery_order IS 'what people ordered: to tell a target again, to leave something out, to mend what it holds';

CREATE TABLE delivery_outcome (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    target_id TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    failure_kind TEXT,
    reason TEXT NOT NULL,
    details JSONB NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_delivery_outcome PRIMARY KEY (id),
    CONSTRAINT fk_delivery_outcome_target_id FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE,
    CONSTRAINT ck_delivery_outcome_outcome CHECK (outcome IN
        ('delivered', 'no_change', 'not_subscribed', 'undone', 'skipped', 'dead'))
);
COMMENT ON COLUMN delivery_outcome.version IS 'up to which golden version the target is done with';
COMMENT ON COLUMN delivery_outcome.details IS 'native ids and names of fields; never values';
CREATE INDEX ix_delivery_outcome_golden_id ON delivery_outcome (golden_id, id);
CREATE INDEX ix_delivery_outcome_target_id ON delivery_outcome (target_id, recorded_at) INCLUDE (queued_at, outcome);

CREATE TABLE target_record (
    target_id TEXT NOT NULL,
    object TEXT NOT NULL,
    scope TEXT NOT NULL,
    native_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    state TEXT NOT NULL,
    salt BYTEA NOT NULL,
    held JSONB NOT NULL,
    intended JSONB,
    written JSONB NOT NULL,
    remote_version TEXT NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_target_record PRIMARY KEY (target_id, object, scope, native_id),
    CONSTRAINT fk_target_record_target_id FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE,
    CONSTRAINT ck_target_record_state CHECK (state IN ('active', 'deactivated', 'inactive', 'merged', 'lost'))
);
COMMENT ON COLUMN target_record.golden_id IS 'as it was when the record was last written or seen';
COMMENT ON COLUMN target_record.held IS 'salted hash of what the record holds, by field of the target, as far as we know';
COMMENT ON COLUMN target_record.intended IS 'the same of what is being written, so that a change seen meanwhile is known as ours';
COMMENT ON COLUMN target_record.written IS 'by field: hashes of what the hub wrote last, when, and when it put that back';
CREATE INDEX ix_target_record_golden_id ON target_record (golden_id);

CREATE TABLE target_report (
    id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    counts JSONB NOT NULL,
    examples JSONB NOT NULL,
    declared TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_target_report PRIMARY KEY (id),
    CONSTRAINT fk_target_report_target_id FOREIGN KEY (target_id) REFERENCES target (id) ON DELETE CASCADE,
    CONSTRAINT ck_target_report_kind CHECK (kind IN ('backfill', 'drift')),
    CONSTRAINT ck_target_report_state CHECK
        (state IN ('reading', 'failed', 'planned', 'applied', 'found', 'repaired'))
);
COMMENT ON TABLE target_report IS 'what a backfill would do or did, and how a target differs from what it should hold';
COMMENT ON COLUMN target_report.counts IS 'by entity type and finding';
COMMENT ON COLUMN target_report.examples IS 'ids, keys and names of fields; never values';
COMMENT ON COLUMN target_report.declared IS 'digest of the declaration that it was made for';
CREATE INDEX ix_target_report_target_id ON target_report (target_id, kind, recorded_at);

CREATE TABLE attribute_freeze (
    id TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    attribute TEXT NOT NULL,
    reason TEXT NOT NULL,
    review_id TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    CONSTRAINT pk_attribute_freeze PRIMARY KEY (id),
    CONSTRAINT fk_attribute_freeze_golden_id FOREIGN KEY (golden_id) REFERENCES golden_record (id)
);
COMMENT ON TABLE attribute_freeze IS 'values that systems keep replacing for each other: no target is told of them until somebody decides';
CREATE UNIQUE INDEX ux_attribute_freeze_open ON attribute_freeze (golden_id, attribute) WHERE ended_at IS NULL;

ALTER TABLE review
    DROP CONSTRAINT ck_review_kind,
    ADD CONSTRAINT ck_review_kind CHECK (kind IN ('possible_match', 'join', 'split', 'unsure', 'weak_bridge',
        'several_hits', 'contradiction', 'decay', 'large_cluster', 'duplicates_in_source', 'flip_flop'));

SELECT audit_table('target_standing', 'target_id');
SELECT audit_table('delivery_order', 'id', related => '{target_id}');
SELECT audit_table('attribute_freeze', 'id', related => '{golden_id,review_id}');
