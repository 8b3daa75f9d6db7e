-- How much each caller may ask: what is left of its rates, and rates of its own.

SET LOCAL lock_timeout = '1s';

-- Not logged: after a crash of the server every bucket is full again, and no request waits for a disk.
CREATE UNLOGGED TABLE rate_bucket (
    who TEXT NOT NULL,
    rate TEXT NOT NULL,
    tokens DOUBLE PRECISION NOT NULL,
    leased BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_rate_bucket PRIMARY KEY (who, rate),
    CONSTRAINT ck_rate_bucket_rate CHECK (rate IN ('read', 'write', 'bulk_read', 'bulk_write')),
    CONSTRAINT ck_rate_bucket_tokens CHECK (tokens >= 0 AND leased >= 0)
) WITH (fillfactor = 50);
COMMENT ON COLUMN rate_bucket.who IS 'the principal';
COMMENT ON COLUMN rate_bucket.tokens IS 'left at recorded_at, what processes hold not counted';
COMMENT ON COLUMN rate_bucket.leased IS 'what the last process took';

ALTER TABLE api_key ADD COLUMN rates TEXT[];
COMMENT ON COLUMN api_key.rates IS 'rates of its own, as read=6000/60; none: those of the settings';
