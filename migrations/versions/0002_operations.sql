-- What stewards do to golden records: every operation is one root event, and names what it decided and what followed.

SET LOCAL lock_timeout = '1s';

ALTER TABLE identity_event
    ADD COLUMN kind TEXT DEFAULT 'ingest' NOT NULL,
    ADD COLUMN root_id TEXT,
    ADD CONSTRAINT fk_identity_event_root_id FOREIGN KEY(root_id) REFERENCES identity_event (id),
    ADD COLUMN undoes_id TEXT,
    ADD CONSTRAINT fk_identity_event_undoes_id FOREIGN KEY(undoes_id) REFERENCES identity_event (id);
CREATE INDEX ix_identity_event_root_id ON identity_event (root_id) WHERE root_id IS NOT NULL;
CREATE INDEX ix_identity_event_undoes_id ON identity_event (undoes_id) WHERE undoes_id IS NOT NULL;
COMMENT ON COLUMN identity_event.root_id IS 'the event that this one followed from; none for one that stands for itself';
COMMENT ON COLUMN identity_event.undoes_id IS 'the event that this one took back';

ALTER TABLE decision
    ADD COLUMN basis TEXT DEFAULT 'steward' NOT NULL,
    ADD CONSTRAINT ck_decision_basis CHECK (basis IN ('steward', 'source')),
    ADD COLUMN event_id TEXT,
    ADD CONSTRAINT fk_decision_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id) DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN revoked_event_id TEXT,
    ADD CONSTRAINT fk_decision_revoked_event_id FOREIGN KEY(revoked_event_id) REFERENCES identity_event (id)
        DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ix_decision_event_id ON decision (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX ix_decision_revoked_event_id ON decision (revoked_event_id) WHERE revoked_event_id IS NOT NULL;
COMMENT ON COLUMN decision.basis IS 'who says so: a steward, or a source that merged its own records';
COMMENT ON COLUMN decision.event_id IS 'the operation that made it; none for one made before operations were';

ALTER TABLE value_override
    ADD COLUMN event_id TEXT,
    ADD CONSTRAINT fk_value_override_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id) DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN ended_event_id TEXT,
    ADD CONSTRAINT fk_value_override_ended_event_id FOREIGN KEY(ended_event_id) REFERENCES identity_event (id)
        DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ix_value_override_event_id ON value_override (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX ix_value_override_ended_event_id ON value_override (ended_event_id) WHERE ended_event_id IS NOT NULL;

-- A withdrawn record is kept and updated, yet belongs to no golden record until a steward restores it.
ALTER TABLE source_record
    DROP CONSTRAINT ck_source_record_state,
    ADD CONSTRAINT ck_source_record_state CHECK (state IN ('active', 'deleted', 'withdrawn')),
    ADD COLUMN withdrawn_event_id TEXT,
    ADD CONSTRAINT fk_source_record_withdrawn_event_id FOREIGN KEY(withdrawn_event_id) REFERENCES identity_event (id)
        DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX ix_source_record_withdrawn_event_id ON source_record (withdrawn_event_id) WHERE withdrawn_event_id IS NOT NULL;
COMMENT ON COLUMN source_record.withdrawn_event_id IS 'a steward took it out of the hub''s answers, whatever its source says';
