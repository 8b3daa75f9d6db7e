-- The tables of the spine.

-- Search by parts of words. A trusted extension since PostgreSQL 13: the owner of a database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE api_key (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    scopes TEXT[] NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT,
    last_used_at TIMESTAMP WITH TIME ZONE,
    who TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_api_key PRIMARY KEY (id),
    CONSTRAINT ck_api_key_name_length CHECK (length(name) BETWEEN 1 AND 120),
    CONSTRAINT ck_api_key_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
    CONSTRAINT ck_api_key_revoked_by_someone CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON COLUMN api_key.key_hash IS 'SHA-256 of the secret';
COMMENT ON COLUMN api_key.last_used_at IS 'to the minute';

CREATE TABLE delivery_exception (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    source_key TEXT NOT NULL,
    fields JSONB NOT NULL,
    source_time TIMESTAMP WITH TIME ZONE,
    is_deletion BOOLEAN NOT NULL,
    column_map JSONB NOT NULL,
    reasons JSONB NOT NULL,
    fingerprint BIGINT NOT NULL,
    state TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    who TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_by TEXT,
    CONSTRAINT pk_delivery_exception PRIMARY KEY (id),
    CONSTRAINT ck_delivery_exception_kind CHECK (kind IN ('rejected', 'warning')),
    CONSTRAINT ck_delivery_exception_state CHECK (state IN ('open', 'replayed', 'dismissed', 'superseded'))
);
CREATE INDEX ix_delivery_exception_state ON delivery_exception (state, id);
CREATE UNIQUE INDEX ux_delivery_exception_open ON delivery_exception (source_key, kind, fingerprint) WHERE state = 'open';
COMMENT ON COLUMN delivery_exception.column_map IS 'column: attribute, as mapped by hand';
COMMENT ON COLUMN delivery_exception.fingerprint IS 'the same content delivered again opens nothing new';

CREATE TABLE event (
    xid xid8 NOT NULL,
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    kind TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    details JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_event PRIMARY KEY (xid, id)
);
CREATE INDEX ix_event_golden_id ON event (golden_id, version);
COMMENT ON COLUMN event.xid IS 'of its transaction, or of the version before where that is later';
COMMENT ON COLUMN event.details IS 'ids and versions only';

CREATE TABLE golden_record (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    state TEXT NOT NULL,
    forward_to TEXT,
    version INTEGER NOT NULL,
    is_confirmed BOOLEAN DEFAULT false NOT NULL,
    is_acknowledged BOOLEAN DEFAULT false NOT NULL,
    next_change_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_golden_record PRIMARY KEY (id),
    CONSTRAINT uq_golden_record_id_entity_type UNIQUE (id, entity_type),
    CONSTRAINT ck_golden_record_state CHECK (state IN ('active', 'forwarded', 'retired')),
    CONSTRAINT ck_golden_record_forward_to CHECK ((state = 'forwarded') = (forward_to IS NOT NULL)),
    CONSTRAINT fk_golden_record_forward_to FOREIGN KEY(forward_to) REFERENCES golden_record (id)
);
CREATE INDEX ix_golden_record_entity_type ON golden_record (entity_type, state, id);
CREATE INDEX ix_golden_record_forward_to ON golden_record (forward_to);
CREATE INDEX ix_golden_record_next_change_at ON golden_record (next_change_at) WHERE next_change_at IS NOT NULL;
COMMENT ON COLUMN golden_record.is_confirmed IS 'by a steward';
COMMENT ON COLUMN golden_record.is_acknowledged IS 'a target acknowledged a delivery of it';
COMMENT ON COLUMN golden_record.next_change_at IS 'when values change although nothing arrives';

CREATE TABLE idempotency_record (
    who TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    part SMALLINT NOT NULL,
    fingerprint BYTEA NOT NULL,
    status SMALLINT NOT NULL,
    body BYTEA NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_idempotency_record PRIMARY KEY (who, route, key, part),
    CONSTRAINT ck_idempotency_record_key_length CHECK (length(key) BETWEEN 1 AND 255)
);
CREATE INDEX ix_idempotency_record_recorded_at ON idempotency_record (recorded_at);
COMMENT ON COLUMN idempotency_record.who IS 'the principal';
COMMENT ON COLUMN idempotency_record.route IS 'method and path template';
COMMENT ON COLUMN idempotency_record.key IS 'Idempotency-Key as sent';
COMMENT ON COLUMN idempotency_record.part IS 'transaction of the request, from 0';
COMMENT ON COLUMN idempotency_record.fingerprint IS 'hash of who, route, key, query and body';

CREATE TABLE identity_event (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    cause TEXT NOT NULL,
    plan JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_identity_event PRIMARY KEY (id)
);
COMMENT ON COLUMN identity_event.plan IS 'ids only, with the state before and after';

CREATE TABLE match_model (
    version TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    definition JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_match_model PRIMARY KEY (version)
);

CREATE TABLE source_instance (
    id TEXT NOT NULL,
    system TEXT NOT NULL,
    title TEXT NOT NULL,
    rank INTEGER NOT NULL,
    duplicate_free BOOLEAN NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_source_instance PRIMARY KEY (id)
);

CREATE TABLE target (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    configuration JSONB NOT NULL,
    entity_types JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_target PRIMARY KEY (id)
);

CREATE TABLE delivery_lane (
    target_id TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    head INTEGER NOT NULL,
    acknowledged INTEGER DEFAULT 0 NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_delivery_lane PRIMARY KEY (target_id, golden_id),
    CONSTRAINT ck_delivery_lane_acknowledged CHECK (acknowledged <= head),
    CONSTRAINT fk_delivery_lane_target_id FOREIGN KEY(target_id) REFERENCES target (id),
    CONSTRAINT fk_delivery_lane_golden_id FOREIGN KEY(golden_id) REFERENCES golden_record (id)
);
CREATE INDEX ix_delivery_lane_waiting ON delivery_lane (target_id, golden_id) WHERE acknowledged < head;
COMMENT ON COLUMN delivery_lane.head IS 'the newest version to tell';
COMMENT ON COLUMN delivery_lane.acknowledged IS 'the newest version the target has';

CREATE TABLE golden_search (
    golden_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    words TEXT NOT NULL,
    CONSTRAINT pk_golden_search PRIMARY KEY (golden_id),
    CONSTRAINT fk_golden_search_golden_id FOREIGN KEY(golden_id) REFERENCES golden_record (id)
);
CREATE INDEX ix_golden_search_words ON golden_search USING gin (words gin_trgm_ops);
COMMENT ON COLUMN golden_search.golden_id IS 'active ones only';
COMMENT ON COLUMN golden_search.words IS 'folded words of all members, their source keys, the golden id';

CREATE TABLE golden_version (
    golden_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    forward_to TEXT,
    values JSONB NOT NULL,
    lineage JSONB NOT NULL,
    completeness FLOAT NOT NULL,
    held JSONB NOT NULL,
    checksum BYTEA NOT NULL,
    rules_version TEXT NOT NULL,
    event_id TEXT NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE,
    who TEXT NOT NULL,
    CONSTRAINT pk_golden_version PRIMARY KEY (golden_id, version),
    CONSTRAINT ck_golden_version_interval CHECK (recorded_to >= recorded_from),
    CONSTRAINT fk_golden_version_golden_id FOREIGN KEY(golden_id) REFERENCES golden_record (id),
    CONSTRAINT fk_golden_version_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id)
);
CREATE UNIQUE INDEX ux_golden_version_open ON golden_version (golden_id) WHERE recorded_to IS NULL;
COMMENT ON COLUMN golden_version.lineage IS 'attribute: record ids, rule, override';
COMMENT ON COLUMN golden_version.held IS 'why publishing is held, empty when it is not';

CREATE TABLE outbox_message (
    target_id TEXT NOT NULL,
    golden_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_outbox_message PRIMARY KEY (target_id, golden_id, version),
    CONSTRAINT fk_outbox_message_target_id FOREIGN KEY(target_id) REFERENCES target (id),
    CONSTRAINT fk_outbox_message_golden_id FOREIGN KEY(golden_id) REFERENCES golden_record (id)
);

CREATE TABLE source_record (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    object TEXT NOT NULL,
    scope TEXT NOT NULL,
    native_id TEXT NOT NULL,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    content_hash BYTEA NOT NULL,
    source_time TIMESTAMP WITH TIME ZONE,
    golden_id TEXT,
    origin_golden_id TEXT,
    context TEXT DEFAULT '' NOT NULL,
    is_deferred BOOLEAN DEFAULT false NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_source_record PRIMARY KEY (id),
    CONSTRAINT uq_source_record_instance_id_object_scope_native_id UNIQUE (instance_id, object, scope, native_id),
    CONSTRAINT ck_source_record_state CHECK (state IN ('active', 'deleted')),
    CONSTRAINT ck_source_record_source_time_finite CHECK (isfinite(source_time)),
    CONSTRAINT fk_source_record_golden_id_entity_type FOREIGN KEY(golden_id, entity_type) REFERENCES golden_record (id, entity_type),
    CONSTRAINT fk_source_record_instance_id FOREIGN KEY(instance_id) REFERENCES source_instance (id)
);
CREATE INDEX ix_source_record_deferred ON source_record (id) WHERE is_deferred;
CREATE INDEX ix_source_record_golden_id ON source_record (golden_id);
CREATE INDEX ix_source_record_reference ON source_record (instance_id, native_id, entity_type);
COMMENT ON COLUMN source_record.golden_id IS 'the golden record it belongs to, or belonged to last when deleted';
COMMENT ON COLUMN source_record.origin_golden_id IS 'the first golden record minted for it; it comes home to this id';
COMMENT ON COLUMN source_record.context IS 'golden id of the parent it is matched within';

CREATE TABLE blocking_key (
    entity_type TEXT NOT NULL,
    key BIGINT NOT NULL,
    record_id TEXT NOT NULL,
    CONSTRAINT pk_blocking_key PRIMARY KEY (entity_type, key, record_id),
    CONSTRAINT fk_blocking_key_record_id FOREIGN KEY(record_id) REFERENCES source_record (id)
);
CREATE INDEX ix_blocking_key_record_id ON blocking_key (record_id);

CREATE TABLE decision (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    judgement TEXT NOT NULL,
    relation TEXT,
    left_id TEXT NOT NULL,
    right_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT,
    CONSTRAINT pk_decision PRIMARY KEY (id),
    CONSTRAINT ck_decision_judgement CHECK (judgement IN ('same', 'different', 'unsure', 'related')),
    CONSTRAINT ck_decision_relation CHECK ((judgement = 'related') = (relation IS NOT NULL)),
    CONSTRAINT ck_decision_two_records CHECK (left_id <> right_id),
    CONSTRAINT fk_decision_left_id FOREIGN KEY(left_id) REFERENCES source_record (id),
    CONSTRAINT fk_decision_right_id FOREIGN KEY(right_id) REFERENCES source_record (id)
);
CREATE INDEX ix_decision_left ON decision (left_id) WHERE revoked_at IS NULL;
CREATE INDEX ix_decision_right ON decision (right_id) WHERE revoked_at IS NULL;

CREATE TABLE edge (
    left_id TEXT NOT NULL,
    right_id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    bits FLOAT NOT NULL,
    verdict SMALLINT NOT NULL,
    is_vetoed BOOLEAN NOT NULL,
    model_version TEXT NOT NULL,
    CONSTRAINT pk_edge PRIMARY KEY (left_id, right_id),
    CONSTRAINT fk_edge_left_id FOREIGN KEY(left_id) REFERENCES source_record (id),
    CONSTRAINT fk_edge_right_id FOREIGN KEY(right_id) REFERENCES source_record (id)
);
CREATE INDEX ix_edge_right_id ON edge (right_id);
COMMENT ON COLUMN edge.left_id IS 'left_id < right_id';
COMMENT ON COLUMN edge.verdict IS '1 possible_match, 2 match';

CREATE TABLE membership (
    record_id TEXT NOT NULL,
    recorded_from TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_to TIMESTAMP WITH TIME ZONE,
    golden_id TEXT NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    event_id TEXT NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_membership PRIMARY KEY (record_id, recorded_from),
    CONSTRAINT ck_membership_interval CHECK (recorded_to >= recorded_from),
    CONSTRAINT fk_membership_record_id FOREIGN KEY(record_id) REFERENCES source_record (id),
    CONSTRAINT fk_membership_golden_id FOREIGN KEY(golden_id) REFERENCES golden_record (id),
    CONSTRAINT fk_membership_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id)
);
CREATE INDEX ix_membership_golden_id ON membership (golden_id);
CREATE UNIQUE INDEX ux_membership_open ON membership (record_id) WHERE recorded_to IS NULL;
COMMENT ON COLUMN membership.published_at IS 'a target first acknowledged this key under this id';

CREATE TABLE review (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    left_id TEXT NOT NULL,
    right_id TEXT NOT NULL,
    bits FLOAT NOT NULL,
    subject JSONB NOT NULL,
    state TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    closed_because TEXT,
    CONSTRAINT pk_review PRIMARY KEY (id),
    CONSTRAINT ck_review_kind CHECK (kind IN ('possible_match', 'join', 'split', 'unsure')),
    CONSTRAINT ck_review_state CHECK (state IN ('open', 'closed')),
    CONSTRAINT fk_review_left_id FOREIGN KEY(left_id) REFERENCES source_record (id),
    CONSTRAINT fk_review_right_id FOREIGN KEY(right_id) REFERENCES source_record (id)
);
CREATE INDEX ix_review_open_right ON review (right_id) WHERE state = 'open';
CREATE INDEX ix_review_queue ON review (entity_type, bits) WHERE state = 'open';
CREATE UNIQUE INDEX ux_review_open ON review (left_id, right_id, kind) WHERE state = 'open';
COMMENT ON COLUMN review.left_id IS 'the strongest pair stands for the question';
COMMENT ON COLUMN review.subject IS 'ids only';

CREATE TABLE source_record_version (
    record_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    fields JSONB NOT NULL,
    values JSONB NOT NULL,
    undeclared JSONB NOT NULL,
    warnings JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    source_time TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_source_record_version PRIMARY KEY (record_id, version),
    CONSTRAINT fk_source_record_version_record_id FOREIGN KEY(record_id) REFERENCES source_record (id)
);
COMMENT ON COLUMN source_record_version.fields IS 'as delivered';
COMMENT ON COLUMN source_record_version.values IS 'by declared attribute';
COMMENT ON COLUMN source_record_version.undeclared IS 'kept and searchable, not mastered';

CREATE TABLE source_reference (
    record_id TEXT NOT NULL,
    attribute TEXT NOT NULL,
    position INTEGER NOT NULL,
    entity_type TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    native_id TEXT NOT NULL,
    CONSTRAINT pk_source_reference PRIMARY KEY (record_id, attribute, position),
    CONSTRAINT fk_source_reference_record_id FOREIGN KEY(record_id) REFERENCES source_record (id)
);
CREATE INDEX ix_source_reference_target ON source_reference (instance_id, native_id, entity_type);
COMMENT ON COLUMN source_reference.entity_type IS 'of the record pointed at';

CREATE TABLE value_override (
    id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    attribute TEXT NOT NULL,
    value JSONB NOT NULL,
    term TEXT NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    masked_hash TEXT,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    CONSTRAINT pk_value_override PRIMARY KEY (id),
    CONSTRAINT ck_value_override_term CHECK (term IN ('for_ever', 'until_source_changes', 'until')),
    CONSTRAINT fk_value_override_record_id FOREIGN KEY(record_id) REFERENCES source_record (id)
);
CREATE INDEX ix_value_override_record ON value_override (record_id) WHERE ended_at IS NULL;

-- An active record has a golden record at every moment a client can see: asked when the transaction commits.
CREATE FUNCTION active_record_has_golden_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM source_record WHERE id = NEW.id AND state = 'active' AND golden_id IS NULL) THEN
        RAISE EXCEPTION 'source record % is active and belongs to no golden record', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER active_record_has_golden_record AFTER INSERT OR UPDATE ON source_record
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'active' AND NEW.golden_id IS NULL)
    EXECUTE FUNCTION active_record_has_golden_record();

-- A forward leads to an id that does not forward on: asked when the transaction commits.
CREATE FUNCTION forward_is_flat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM golden_record f JOIN golden_record t ON t.id = f.forward_to
                WHERE t.state = 'forwarded' AND (f.id = NEW.id OR t.id = NEW.id)) THEN
        RAISE EXCEPTION 'golden record % would forward in two hops', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER forward_is_flat AFTER INSERT OR UPDATE OF forward_to, state ON golden_record
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'forwarded') EXECUTE FUNCTION forward_is_flat();
