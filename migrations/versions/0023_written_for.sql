-- Whose value the hub wrote into a field: as which version of which golden record, by the hash of the value.

SET LOCAL lock_timeout = '1s';

ALTER TABLE target_record ADD COLUMN written_for JSONB DEFAULT '{}' NOT NULL;
COMMENT ON COLUMN target_record.written_for IS
    'by field and hash of what the hub wrote or asked for: golden record and version whose value that was';
