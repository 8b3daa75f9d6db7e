-- Reservations: somebody is about to create a record in another system. The values stand in the source record of the
-- built-in instance hub; this table says who holds it, until when, and what became of it.

SET LOCAL lock_timeout = '1s';

CREATE TABLE reservation (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    record_id TEXT NOT NULL,
    reference TEXT,
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
COMMENT ON COLUMN reservation.source_key IS 'as printed: the key that it was confirmed with';
COMMENT ON COLUMN reservation.who IS 'who holds it';
SELECT audit_table('reservation', 'id', related => '{record_id,instance_id}');
