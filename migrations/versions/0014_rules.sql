-- Frozen rules: how each version came about, which hold since when, and the work of bringing records to them.

SET LOCAL lock_timeout = '1s';

ALTER TABLE match_model ADD COLUMN origin TEXT;
ALTER TABLE match_model ADD COLUMN reason TEXT;
ALTER TABLE match_model ADD COLUMN made_from TEXT;
ALTER TABLE match_model ADD COLUMN report JSONB;
ALTER TABLE match_model ADD CONSTRAINT ck_match_model_origin
    CHECK (origin IN ('decisions', 'labels', 'identifiers', 'edited', 'file'));
CREATE INDEX ix_match_model_entity_type ON match_model (entity_type, recorded_at);
COMMENT ON COLUMN match_model.origin IS 'how it came about; none: as declared';
COMMENT ON COLUMN match_model.made_from IS 'version that it was learnt or edited from';
COMMENT ON COLUMN match_model.report IS 'what training found out about it';

CREATE TABLE survivorship_rules (
    version TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    definition JSONB NOT NULL,
    reason TEXT NOT NULL,
    made_from TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_survivorship_rules PRIMARY KEY (version)
);
CREATE INDEX ix_survivorship_rules_entity_type ON survivorship_rules (entity_type, recorded_at);
COMMENT ON COLUMN survivorship_rules.version IS 'hash of entity type and definition';
COMMENT ON COLUMN survivorship_rules.definition IS 'rule by attribute and by group';

CREATE TABLE rule_activation (
    id TEXT NOT NULL,
    number INTEGER NOT NULL,
    entity_type TEXT NOT NULL,
    model_version TEXT,
    survivorship_version TEXT,
    reason TEXT NOT NULL,
    is_forced BOOLEAN NOT NULL,
    refusals JSONB NOT NULL,
    proposed_by TEXT,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_rule_activation PRIMARY KEY (id),
    CONSTRAINT uq_rule_activation_number UNIQUE (number),
    CONSTRAINT fk_rule_activation_model_version FOREIGN KEY (model_version) REFERENCES match_model (version),
    CONSTRAINT fk_rule_activation_survivorship_version
        FOREIGN KEY (survivorship_version) REFERENCES survivorship_rules (version)
);
CREATE INDEX ix_rule_activation_entity_type ON rule_activation (entity_type, number DESC);
COMMENT ON COLUMN rule_activation.number IS 'without gaps; the newest of an entity type holds';
COMMENT ON COLUMN rule_activation.model_version IS 'none: the model as declared';
COMMENT ON COLUMN rule_activation.survivorship_version IS 'none: the choice of values as declared';
COMMENT ON COLUMN rule_activation.refusals IS 'what spoke against it when it was forced';
COMMENT ON COLUMN rule_activation.proposed_by IS 'who asked for it, where a second person approved';

CREATE TABLE rule_proposal (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    model_version TEXT,
    survivorship_version TEXT,
    reason TEXT NOT NULL,
    is_forced BOOLEAN NOT NULL,
    refusals JSONB NOT NULL,
    state TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT,
    CONSTRAINT pk_rule_proposal PRIMARY KEY (id),
    CONSTRAINT ck_rule_proposal_state CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT ck_rule_proposal_settled CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE UNIQUE INDEX ux_rule_proposal_waiting ON rule_proposal (entity_type) WHERE state = 'waiting';

CREATE TABLE rematch (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    activation INTEGER NOT NULL,
    state TEXT NOT NULL,
    position TEXT NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    found JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    CONSTRAINT pk_rematch PRIMARY KEY (id),
    CONSTRAINT fk_rematch_activation FOREIGN KEY (activation) REFERENCES rule_activation (number),
    CONSTRAINT ck_rematch_state CHECK (state IN ('running', 'paused', 'done', 'superseded'))
);
CREATE UNIQUE INDEX ux_rematch_open ON rematch (entity_type) WHERE state IN ('running', 'paused');
COMMENT ON COLUMN rematch.position IS 'id of the last record that is done with';
COMMENT ON COLUMN rematch.found IS 'what it changed so far, by what';

-- Which rules hold, for a writer that used them: 0 before the first activation, -1 while one is being carried out. The
-- lock is shared until the transaction ends, so that whoever activates waits for those who used the rules before. The
-- number is read after the lock is held, in a statement of its own: one that began earlier would not see what the one
-- who had the lock committed.
CREATE FUNCTION rules_in_force(guard BIGINT) RETURNS INTEGER LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock_shared(guard) THEN
        RETURN -1;
    END IF;
    RETURN (SELECT coalesce(max(number), 0) FROM rule_activation);
END
$$;

SELECT audit_table('survivorship_rules', 'version', related => '{entity_type}');
SELECT audit_table('rule_activation', 'id', related => '{entity_type,model_version,survivorship_version}');
SELECT audit_table('rule_proposal', 'id', related => '{entity_type,model_version,survivorship_version}');
SELECT audit_table('rematch', 'id', related => '{entity_type}', left_out => '{position,done,found}');
