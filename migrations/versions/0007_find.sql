-- One search over names, numbers, keys and ids; and what the first page of the console is counted from.

SET LOCAL lock_timeout = '1s';

-- Null until the worker has gone over a golden record of an earlier schema: it is found by its words alone till then.
ALTER TABLE golden_search
    ADD COLUMN names TEXT[],
    ADD COLUMN terms TSVECTOR;
CREATE INDEX ix_golden_search_terms ON golden_search USING gin (terms);
CREATE INDEX ix_golden_search_unread ON golden_search (golden_id) WHERE terms IS NULL;
COMMENT ON COLUMN golden_search.names IS 'as they are compared, for ranking; null until the worker has read the record';
COMMENT ON COLUMN golden_search.terms IS 'marked words, words with a letter missing, whole names, numbers, native ids';

-- The beginning of an id finds it, whatever order the database sorts texts in.
CREATE INDEX ix_golden_record_id_beginning ON golden_record (id text_pattern_ops);

-- Where counting every row would take longer than a page may, ANALYZE has counted a sample.
CREATE STATISTICS st_source_record_place (mcv) ON instance_id, entity_type, state FROM source_record;
CREATE STATISTICS st_golden_record_state (mcv) ON entity_type, state FROM golden_record;
CREATE INDEX ix_source_record_arrival ON source_record (instance_id, recorded_at);
