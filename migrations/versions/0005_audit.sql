-- The audit log (docs/decisions/0007): one entry for each changed row, appended by triggers in the transaction of the
-- change, holding ids and a salted hash, never a value. A sealer chains the entries afterwards.
--
-- To have a table recorded, add one line to the migration that makes it, and the same to mdm.history.model.AUDITED:
--     SELECT audit_table('decision', 'id', related => '{left_id,right_id}');
--
-- An added column that may be null needs nothing. One that is NOT NULL with a default changes rows without a trigger;
-- its migration ends with:
--     SELECT audit_rows('decision', 'restated', 'id', related => '{left_id,right_id}');

SET LOCAL lock_timeout = '1s';

CREATE TABLE audit_entry (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    xid xid8 NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    related TEXT[] NOT NULL,
    changed TEXT[] NOT NULL,
    digest BYTEA NOT NULL,
    CONSTRAINT pk_audit_entry PRIMARY KEY (id),
    CONSTRAINT ck_audit_entry_digest_is_sha256 CHECK (octet_length(digest) = 32)
);
CREATE INDEX ix_audit_entry_subject_id ON audit_entry (subject_id, id);
CREATE INDEX ix_audit_entry_xid ON audit_entry (xid);
COMMENT ON COLUMN audit_entry.who IS 'as the row says, else the setting mdm.who, else the database role';
COMMENT ON COLUMN audit_entry.action IS 'table.verb: made, changed, deleted; found: there before it was recorded; restated';
COMMENT ON COLUMN audit_entry.subject_id IS 'key of the row';
COMMENT ON COLUMN audit_entry.related IS 'ids that the row names';
COMMENT ON COLUMN audit_entry.changed IS 'names of the columns that a change touched';
COMMENT ON COLUMN audit_entry.digest IS 'sha256 of salt and row after the change, or before its deletion';

CREATE TABLE audit_salt (
    entry_id BIGINT NOT NULL,
    salt BYTEA NOT NULL,
    CONSTRAINT pk_audit_salt PRIMARY KEY (entry_id)
);
COMMENT ON COLUMN audit_salt.salt IS 'deleted when its subject is erased: the digest then tells nothing';

CREATE TABLE audit_seal (
    position BIGINT NOT NULL,
    entry_id BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT pk_audit_seal PRIMARY KEY (position),
    CONSTRAINT uq_audit_seal_entry_id UNIQUE (entry_id)
);
COMMENT ON COLUMN audit_seal.position IS 'from 1, in an order of commits';
COMMENT ON COLUMN audit_seal.leaf IS 'sha256 of the entry as COPY writes it';
COMMENT ON COLUMN audit_seal.hash IS 'sha256 of the hash before and the leaf';

CREATE TABLE audit_state (
    hub_id UUID NOT NULL,
    snapshot TEXT,
    system TEXT,
    CONSTRAINT pk_audit_state PRIMARY KEY (hub_id)
);
COMMENT ON COLUMN audit_state.hub_id IS 'which hub a checkpoint is of';
COMMENT ON COLUMN audit_state.snapshot IS 'whatever it shows is sealed; none: look at all';
COMMENT ON COLUMN audit_state.system IS 'the server to whose transactions the snapshot belongs';
INSERT INTO audit_state (hub_id) VALUES (gen_random_uuid());

-- Append one entry: `before` is null for a new row, `after` for one that is gone.
CREATE FUNCTION audit_append(action TEXT, key TEXT, related TEXT[], before JSONB, after JSONB) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    form CONSTANT JSONB := coalesce(after, before);
    salt CONSTANT BYTEA := uuid_send(gen_random_uuid());
    changed TEXT[] := '{}';
    actor TEXT;
    new_id BIGINT;
BEGIN
    IF before IS NOT NULL AND after IS NOT NULL THEN
        changed := ARRAY(SELECT name FROM jsonb_object_keys(after) AS name
                          WHERE before -> name IS DISTINCT FROM after -> name ORDER BY name COLLATE "C");
        actor := coalesce((SELECT after ->> name FROM unnest(changed) AS name
                            WHERE name LIKE '%\_by' AND after ->> name IS NOT NULL LIMIT 1),
                          CASE WHEN 'who' = ANY (changed) THEN after ->> 'who' END);
    ELSIF after IS NOT NULL THEN
        actor := after ->> 'who';
    END IF;
    actor := coalesce(actor, nullif(current_setting('mdm.who', true), ''), 'role:' || session_user);
    INSERT INTO audit_entry (xid, recorded_at, who, action, subject_id, related, changed, digest)
    VALUES (pg_current_xact_id(), clock_timestamp(), actor, action, form ->> key,
            ARRAY(SELECT form ->> name FROM unnest(related) AS name WHERE form ->> name IS NOT NULL), changed,
            sha256(salt || convert_to(jsonb_strip_nulls(form)::text, 'UTF8')))
    RETURNING id INTO new_id;
    INSERT INTO audit_salt (entry_id, salt) VALUES (new_id, salt);
END
$$;

-- Record the rows of a statement. Arguments: the key column, columns with related ids, columns left out of the digest.
-- The settings make the written form of a row the same whoever writes it.
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql
SET timezone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1 SET intervalstyle = 'postgres' AS $$
DECLARE
    key CONSTANT TEXT := TG_ARGV[0];
    related CONSTANT TEXT[] := TG_ARGV[1];
    left_out CONSTANT TEXT[] := TG_ARGV[2];
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM audit_append(TG_TABLE_NAME || '.made', key, related, NULL, to_jsonb(n) - left_out) FROM rows_after AS n;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM audit_append(TG_TABLE_NAME || '.deleted', key, related, to_jsonb(o) - left_out, NULL)
           FROM rows_before AS o;
    ELSE
        PERFORM audit_append(TG_TABLE_NAME || CASE WHEN o.form IS NULL THEN '.made' WHEN n.form IS NULL THEN '.deleted'
                             ELSE '.changed' END, key, related, o.form, n.form)
           FROM (SELECT to_jsonb(b) - left_out AS form FROM rows_before AS b) AS o
           FULL JOIN (SELECT to_jsonb(a) - left_out AS form FROM rows_after AS a) AS n
             ON o.form ->> key = n.form ->> key
          WHERE o.form IS DISTINCT FROM n.form;
    END IF;
    RETURN NULL;
END
$$;

-- What is recorded is not emptied at a stroke, and the log itself is only ever added to.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the audit log keeps it', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse BEFORE UPDATE OR TRUNCATE ON audit_salt FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
-- A salt goes when a subject is erased; that it went is recorded.
CREATE TRIGGER audit_delete AFTER DELETE ON audit_salt REFERENCING OLD TABLE AS rows_before
    FOR EACH STATEMENT EXECUTE FUNCTION audit('entry_id', '{}', '{salt}');

-- Append an entry for every row of a table as it stands.
CREATE FUNCTION audit_rows(
    subject REGCLASS, verb TEXT, key TEXT, related TEXT[] DEFAULT '{}', left_out TEXT[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql
SET timezone = 'UTC' SET bytea_output = 'hex' SET extra_float_digits = 1 SET intervalstyle = 'postgres' AS $$
BEGIN
    EXECUTE format('SELECT audit_append(%L, %L, %L, NULL, to_jsonb(n) - %L::text[])'
                   ' FROM (SELECT * FROM %s ORDER BY %I) AS n',
                   (SELECT relname FROM pg_class WHERE oid = subject) || '.' || verb, key, related, left_out, subject, key);
END
$$;

-- Record a table from now on, and the rows it has.
CREATE FUNCTION audit_table(
    subject REGCLASS, key TEXT, related TEXT[] DEFAULT '{}', left_out TEXT[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ending CONSTANT TEXT := format('FOR EACH STATEMENT EXECUTE FUNCTION audit(%L, %L, %L)', key, related, left_out);
BEGIN
    EXECUTE format('CREATE TRIGGER audit_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS rows_after %s', subject, ending);
    EXECUTE format('CREATE TRIGGER audit_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS rows_before'
                   ' NEW TABLE AS rows_after %s', subject, ending);
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS rows_before %s', subject, ending);
    EXECUTE format('CREATE TRIGGER audit_refuse BEFORE TRUNCATE ON %s'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', subject);
    PERFORM audit_rows(subject, 'found', key, related, left_out);
END
$$;

SELECT audit_table('api_key', 'id', left_out => '{last_used_at}');
SELECT audit_table('source_instance', 'id', left_out => '{is_settled}');
SELECT audit_table('source_event', 'id', related => '{instance_id,event_id}');
SELECT audit_table('target', 'id');
SELECT audit_table('match_model', 'version', related => '{entity_type}');
SELECT audit_table('identity_event', 'id', related => '{root_id,undoes_id}');
SELECT audit_table('decision', 'id', related => '{left_id,right_id,event_id,revoked_event_id}');
SELECT audit_table('value_override', 'id', related => '{record_id,event_id,ended_event_id}');
SELECT audit_table('review_answer', 'id', related => '{review_id,event_id}');
SELECT audit_table('review_comment', 'id', related => '{review_id}');
