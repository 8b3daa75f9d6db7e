-- The work on reviews: what is at stake, who has claimed one, what was said and answered, who must agree; and its feed.

SET LOCAL lock_timeout = '1s';

ALTER TABLE review
    DROP CONSTRAINT ck_review_kind,
    ADD CONSTRAINT ck_review_kind CHECK (kind IN ('possible_match', 'join', 'split', 'unsure', 'weak_bridge',
        'several_hits', 'contradiction', 'decay', 'large_cluster', 'duplicates_in_source')),
    ADD COLUMN stake FLOAT DEFAULT 0 NOT NULL,
    ADD COLUMN staked_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN assignee TEXT,
    ADD CONSTRAINT ck_review_assignee_length CHECK (length(assignee) BETWEEN 1 AND 120),
    ADD COLUMN due_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN claimed_by TEXT,
    ADD COLUMN claimed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN claimed_until TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT ck_review_claimed_whole CHECK ((claimed_by IS NULL) = (claimed_at IS NULL)
        AND (claimed_by IS NULL) = (claimed_until IS NULL));
DROP INDEX ix_review_queue;
CREATE INDEX ix_review_queue ON review (entity_type, stake DESC, id) WHERE state = 'open';
CREATE INDEX ix_review_stale ON review (staked_at NULLS FIRST) WHERE state = 'open';
COMMENT ON COLUMN review.stake IS 'what is expected to stay wrong while nobody answers';
COMMENT ON COLUMN review.staked_at IS 'when the stake was worked out; never for a review of an earlier schema';
COMMENT ON COLUMN review.assignee IS 'a person, or group:NAME';
COMMENT ON COLUMN review.claimed_until IS 'the claim counts for nothing after this';

CREATE TABLE review_comment (
    id TEXT NOT NULL,
    review_id TEXT NOT NULL,
    comment TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    CONSTRAINT pk_review_comment PRIMARY KEY (id),
    CONSTRAINT ck_review_comment_comment_length CHECK (length(comment) BETWEEN 1 AND 2000),
    CONSTRAINT fk_review_comment_review_id FOREIGN KEY(review_id) REFERENCES review (id)
);
CREATE INDEX ix_review_comment_review_id ON review_comment (review_id, id);

CREATE TABLE review_answer (
    id TEXT NOT NULL,
    review_id TEXT NOT NULL,
    bulk_id TEXT,
    judgement TEXT NOT NULL,
    relation TEXT,
    reason TEXT NOT NULL,
    valid_from DATE,
    valid_to DATE,
    expected JSONB NOT NULL,
    state TEXT NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT,
    event_id TEXT,
    CONSTRAINT pk_review_answer PRIMARY KEY (id),
    CONSTRAINT ck_review_answer_judgement CHECK (judgement IN ('same', 'different', 'unsure', 'related')),
    CONSTRAINT ck_review_answer_relation CHECK ((judgement = 'related') = (relation IS NOT NULL)),
    CONSTRAINT ck_review_answer_state CHECK (state IN ('proposed', 'carried_out', 'rejected', 'lapsed', 'undone')),
    CONSTRAINT fk_review_answer_review_id FOREIGN KEY(review_id) REFERENCES review (id),
    CONSTRAINT fk_review_answer_event_id FOREIGN KEY(event_id) REFERENCES identity_event (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX ix_review_answer_bulk_id ON review_answer (bulk_id) WHERE bulk_id IS NOT NULL;
CREATE INDEX ix_review_answer_review_id ON review_answer (review_id);
CREATE INDEX ix_review_answer_who ON review_answer (who, id) WHERE state = 'carried_out';
CREATE UNIQUE INDEX ux_review_answer_waiting ON review_answer (review_id) WHERE state = 'proposed';
COMMENT ON COLUMN review_answer.bulk_id IS 'answers given together';
COMMENT ON COLUMN review_answer.expected IS 'golden id: version, as they were when the answer was given';
COMMENT ON COLUMN review_answer.claimed_at IS 'when its author took the review, for the pace';
COMMENT ON COLUMN review_answer.settled_at IS 'approved, rejected, lapsed or undone';
COMMENT ON COLUMN review_answer.event_id IS 'the operation that carried it out; what it decided and ended names that';

-- The feed tells of reviews too: such an event names its review, and no golden version.
ALTER TABLE event
    ALTER COLUMN golden_id DROP NOT NULL,
    ALTER COLUMN version DROP NOT NULL,
    ADD COLUMN review_id TEXT,
    ADD CONSTRAINT ck_event_subject CHECK (CASE WHEN kind LIKE 'review.%' THEN review_id IS NOT NULL AND golden_id IS NULL
        AND version IS NULL ELSE review_id IS NULL AND golden_id IS NOT NULL AND version IS NOT NULL END);
CREATE INDEX ix_event_review_id ON event (review_id) WHERE review_id IS NOT NULL;

-- Whoever follows the feed learns of the reviews that are open already.
INSERT INTO event (xid, kind, entity_type, review_id, details, recorded_at, who)
SELECT pg_current_xact_id(), 'review.opened', q.entity_type, q.id,
       jsonb_build_object('kind', q.kind, 'golden_ids', to_jsonb(array_remove(ARRAY(SELECT DISTINCT r.golden_id
           FROM source_record r WHERE r.id IN (q.left_id, q.right_id) ORDER BY 1), NULL))), now(), 'hub'
  FROM review q WHERE q.state = 'open' ORDER BY q.id;
