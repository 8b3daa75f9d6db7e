-- Indexes of all decisions by either record, in place of those of active ones alone.
--
-- Where most decisions were taken back, the planner takes an index of few active ones for a short list and reads all of
-- it, 3 ms for each question about forty records, as those that were active lately still stand in it.

SET LOCAL lock_timeout = '1s';

-- Made first: while they are, decisions can be read.
CREATE INDEX ix_decision_left_all ON decision (left_id);
CREATE INDEX ix_decision_right_all ON decision (right_id);
DROP INDEX ix_decision_left;
DROP INDEX ix_decision_right;
ALTER INDEX ix_decision_left_all RENAME TO ix_decision_left;
ALTER INDEX ix_decision_right_all RENAME TO ix_decision_right;
