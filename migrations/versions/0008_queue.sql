-- What an answer is worth, queues that people keep, and bands.

SET LOCAL lock_timeout = '1s';

-- Size of what hangs on a review, times how uncertain the answer is: 4·p·(1 − p), which is 1 at even odds and 0 where
-- the answer is known. The stake is that size times the odds that something is wrong, so one factor is in it already.
ALTER TABLE review ADD COLUMN usefulness DOUBLE PRECISION NOT NULL GENERATED ALWAYS AS (
    stake * 4.0 / (1.0 + power(2.0, CASE WHEN kind IN ('split', 'weak_bridge', 'decay', 'large_cluster', 'duplicates_in_source')
                                         THEN -greatest(-40.0, least(40.0, bits))
                                         ELSE greatest(-40.0, least(40.0, bits)) END))
) STORED;
COMMENT ON COLUMN review.usefulness IS 'how uncertain the answer is, times the size of what hangs on it';
CREATE INDEX ix_review_useful ON review (entity_type, usefulness DESC, id) WHERE state = 'open';
CREATE INDEX ix_review_due ON review (entity_type, due_at) WHERE state = 'open';
CREATE INDEX ix_review_oldest ON review (entity_type, recorded_at, id) WHERE state = 'open';

CREATE TABLE saved_queue (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    asked JSONB NOT NULL,
    ranking TEXT NOT NULL,
    is_shared BOOLEAN NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by TEXT,
    CONSTRAINT pk_saved_queue PRIMARY KEY (id),
    CONSTRAINT ck_saved_queue_name_length CHECK (length(name) BETWEEN 1 AND 80),
    CONSTRAINT ck_saved_queue_ranking CHECK (ranking IN ('useful', 'oldest', 'riskiest'))
);
CREATE UNIQUE INDEX ux_saved_queue_name ON saved_queue (who, name) WHERE ended_at IS NULL;
COMMENT ON COLUMN saved_queue.asked IS 'the filter, as its fields';

CREATE TABLE review_band (
    id TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    asked JSONB NOT NULL,
    judgement TEXT NOT NULL,
    relation TEXT,
    reason TEXT NOT NULL,
    chosen JSONB NOT NULL,
    sample JSONB NOT NULL,
    seed BIGINT NOT NULL,
    waits_because TEXT NOT NULL,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    skipped JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    settled_at TIMESTAMP WITH TIME ZONE,
    settled_by TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_because TEXT,
    CONSTRAINT pk_review_band PRIMARY KEY (id),
    CONSTRAINT ck_review_band_judgement CHECK (judgement IN ('same', 'different', 'unsure', 'related')),
    CONSTRAINT ck_review_band_relation CHECK ((judgement = 'related') = (relation IS NOT NULL)),
    CONSTRAINT ck_review_band_state CHECK (state IN ('previewed', 'waiting', 'accepted', 'done', 'stopped'))
);
CREATE INDEX ix_review_band_accepted ON review_band (id) WHERE state = 'accepted';
COMMENT ON COLUMN review_band.chosen IS 'the reviews in order, each with the golden versions it was shown with';
COMMENT ON COLUMN review_band.sample IS 'ids of the reviews that were shown';
COMMENT ON COLUMN review_band.position IS 'how many of them are done with';
COMMENT ON COLUMN review_band.skipped IS 'reviews that were not answered, and why';
COMMENT ON COLUMN review_band.settled_by IS 'who accepted it, or approved it as the second person';
