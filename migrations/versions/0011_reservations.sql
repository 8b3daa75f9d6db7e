-- Reservations: somebody is about to create a record in another system. The values stand in the source record of the
-- built-in instance hub; this table says who holds it, until when, and what became of it.

SET LOCAL lock_timeout = '1s';

CREATE TABLE reservation (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    reference TEXT,
    is_published BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    source_key TEXT,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    CONSTRAINT pk_reservation PRIMARY KEY (id),
    CONSTRAINT fk_reservation_instance_id_source_instance FOREIGN KEY (instance_id) REFERENCES source_instance (id),
    CONSTRAINT fk_reservation_record_id_source_record FOREIGN KEY (record_id) REFERENCES source_record (id),
    CONSTRAINT uq_reservation_record_id UNIQUE (record_id),
    CONSTRAINT ck_reservation_state CHECK (state IN ('open', 'confirmed', 'abandoned', 'expired')),
    CONSTRAINT ck_reservation_reference_length CHECK (length(reference) BETWEEN 1 AND 255),
    CONSTRAINT ck_reservation_confirmed CHECK ((state = 'confirmed') = (source_key IS NOT NULL)),
    CONSTRAINT ck_reservation_ended CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT ck_reservation_ended_by CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX ix_reservation_due ON reservation (expires_at) WHERE state = 'open';
CREATE INDEX ix_reservation_state ON reservation (state, id);
CREATE UNIQUE INDEX ux_reservation_reference ON reservation (who, reference, entity_type, instance_id)
    WHERE state = 'open' AND reference IS NOT NULL;
COMMENT ON COLUMN reservation.instance_id IS 'where it is to be created';
COMMENT ON COLUMN reservation.record_id IS 'the source record of the instance hub that stands for it';
COMMENT ON COLUMN reservation.reference IS 'the holder''s own name for it';
COMMENT ON COLUMN reservation.is_published IS 'its holder leaves the creating to the hub''s publishing';
COMMENT ON COLUMN reservation.source_key IS 'as printed: the key that it was confirmed with';
COMMENT ON COLUMN reservation.who IS 'who holds it';
SELECT audit_table('reservation', 'id', related => '{record_id,instance_id}');

-- Deals on their way to be billed. Their facts stand in a source record of the instance hub, or, while they are
-- incomplete, in the exception that waits for somebody to mend them.

CREATE TABLE deal (
    id TEXT NOT NULL,
    recipe TEXT NOT NULL,
    opportunity TEXT NOT NULL,
    state TEXT NOT NULL,
    standing TEXT NOT NULL,
    step TEXT,
    done TEXT[] NOT NULL,
    attempts INTEGER NOT NULL,
    because TEXT NOT NULL,
    is_ending BOOLEAN NOT NULL,
    billing TEXT,
    record_id TEXT,
    reservation_id TEXT,
    customer_id TEXT,
    has_project BOOLEAN NOT NULL,
    has_contract BOOLEAN NOT NULL,
    exception_id TEXT,
    approved_by TEXT,
    since JSONB NOT NULL,
    entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE,
    lease_token BIGINT NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_by TEXT,
    CONSTRAINT pk_deal PRIMARY KEY (id),
    CONSTRAINT fk_deal_record_id_source_record FOREIGN KEY (record_id) REFERENCES source_record (id),
    CONSTRAINT fk_deal_reservation_id_reservation FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    CONSTRAINT fk_deal_exception_id_delivery_exception FOREIGN KEY (exception_id) REFERENCES delivery_exception (id),
    CONSTRAINT ck_deal_state CHECK (state IN ('sold', 'activated', 'approved', 'ready_to_bill', 'cancelled')),
    CONSTRAINT ck_deal_standing CHECK (
        standing IN ('going', 'waiting', 'incomplete', 'failing', 'failed', 'taking_back', 'done', 'cancelled')),
    CONSTRAINT ck_deal_step CHECK ((step IS NULL) = (standing IN ('done', 'cancelled'))),
    CONSTRAINT ck_deal_done CHECK ((standing = 'done') = (state = 'ready_to_bill')),
    CONSTRAINT ck_deal_cancelled CHECK ((standing = 'cancelled') = (state = 'cancelled'))
);
CREATE UNIQUE INDEX ux_deal_opportunity ON deal (opportunity) WHERE state <> 'cancelled';
CREATE INDEX ix_deal_due ON deal (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX ix_deal_state ON deal (state, id);
CREATE INDEX ix_deal_exception_id ON deal (exception_id) WHERE exception_id IS NOT NULL;
COMMENT ON COLUMN deal.opportunity IS 'as printed: the key of what was won';
COMMENT ON COLUMN deal.step IS 'the step at hand';
COMMENT ON COLUMN deal.done IS 'names of the steps that are done, in order';
COMMENT ON COLUMN deal.because IS 'a code: what it waits for, or why it fails';
COMMENT ON COLUMN deal.billing IS 'the source instance that bills it';
COMMENT ON COLUMN deal.record_id IS 'the contract record that holds its facts';
COMMENT ON COLUMN deal.customer_id IS 'golden id of the billed legal entity, as it was found';
COMMENT ON COLUMN deal.exception_id IS 'where its facts wait to be mended';
COMMENT ON COLUMN deal.since IS 'state: when it was reached';
COMMENT ON COLUMN deal.entered_at IS 'when it reached its present state';
COMMENT ON COLUMN deal.next_at IS 'when a worker looks again; none: when somebody acts';
COMMENT ON COLUMN deal.ended_by IS 'who cancelled it';
SELECT audit_table('deal', 'id', related => '{record_id,reservation_id,customer_id,exception_id}',
                   left_out => '{next_at,lease_token,lease_until}');

CREATE TABLE deal_turn (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    deal_id TEXT NOT NULL,
    step TEXT NOT NULL,
    turn TEXT NOT NULL,
    because TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_deal_turn PRIMARY KEY (id),
    CONSTRAINT fk_deal_turn_deal_id_deal FOREIGN KEY (deal_id) REFERENCES deal (id),
    CONSTRAINT ck_deal_turn_turn CHECK (turn IN ('done', 'waiting', 'failed', 'taken_back'))
);
CREATE INDEX ix_deal_turn_deal_id ON deal_turn (deal_id, id);
COMMENT ON COLUMN deal_turn.because IS 'a code: what it waits for, or why it failed';
