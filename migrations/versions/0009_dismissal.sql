-- Why an exception was dismissed.

SET LOCAL lock_timeout = '1s';

ALTER TABLE delivery_exception ADD COLUMN note TEXT;
ALTER TABLE delivery_exception ADD CONSTRAINT ck_delivery_exception_note_length CHECK (length(note) BETWEEN 1 AND 1000) NOT VALID;
ALTER TABLE delivery_exception VALIDATE CONSTRAINT ck_delivery_exception_note_length;
COMMENT ON COLUMN delivery_exception.note IS 'why it was dismissed, in the words of whoever did';
