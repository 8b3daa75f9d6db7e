-- Views for reports, in a schema of their own: whoever may read it sees golden records, keys and questions, and no table.

SET LOCAL lock_timeout = '1s';

CREATE SCHEMA mdm_views;
COMMENT ON SCHEMA mdm_views IS 'for reports; read only, its columns stay what they are';

-- A view reads with the rights of its owner, so that a role of reports needs none on the tables. Each names the columns
-- it shows: who did something, why, and what a record was delivered with are not among them.

CREATE VIEW mdm_views.golden_record_current AS
SELECT g.id AS golden_id, g.entity_type, v.version, v.values, v.completeness, v.recorded_from AS since, g.is_confirmed
  FROM golden_record g
 CROSS JOIN LATERAL (SELECT o.version, o.values, o.completeness, o.recorded_from FROM golden_version o
                      WHERE o.golden_id = g.id AND o.state = 'active' AND o.held = '[]'
                      ORDER BY o.version DESC LIMIT 1) AS v
 WHERE g.state = 'active';
COMMENT ON VIEW mdm_views.golden_record_current IS 'active golden records, each in its newest version that is not held';

CREATE VIEW mdm_views.crosswalk AS
SELECT r.entity_type, r.golden_id, r.instance_id, r.object, r.scope, r.native_id,
       r.state = 'active' AND r.ended_because IS NULL AS is_live
  FROM source_record r
 WHERE r.golden_id IS NOT NULL;
COMMENT ON VIEW mdm_views.crosswalk IS 'every source key with the golden record it belongs to, or belonged to last when it is not live';

CREATE VIEW mdm_views.golden_history AS
SELECT v.golden_id, g.entity_type, v.version, v.state, v.forward_to,
       CASE WHEN v.held = '[]' AND v.state = 'active' THEN v.values END AS values,
       v.completeness, v.recorded_from, v.recorded_to, e.cause
  FROM golden_version v
  JOIN golden_record g ON g.id = v.golden_id
  JOIN identity_event e ON e.id = v.event_id;
COMMENT ON VIEW mdm_views.golden_history IS 'every version of every golden record; one that is held shows no values';

CREATE VIEW mdm_views.forwards AS
SELECT g.id AS golden_id, g.entity_type, g.forward_to, v.recorded_from AS since
  FROM golden_record g
  JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version
 WHERE g.state = 'forwarded';
COMMENT ON VIEW mdm_views.forwards IS 'golden ids that were merged, and where they lead, in one hop';

CREATE VIEW mdm_views.reviews_open AS
SELECT w.id AS review_id, w.entity_type, w.kind, l.golden_id AS left_golden_id, r.golden_id AS right_golden_id,
       w.bits, w.stake, w.recorded_at AS opened_at, w.due_at, w.assignee IS NOT NULL AS is_assigned,
       coalesce(w.claimed_until > now(), false) AS is_claimed
  FROM review w
  JOIN source_record l ON l.id = w.left_id
  JOIN source_record r ON r.id = w.right_id
 WHERE w.state = 'open';
COMMENT ON VIEW mdm_views.reviews_open IS 'questions that wait for a steward';

-- Typed columns of the views that `mdm schema views` makes: a text that is no such value, from an older declaration, is null.
CREATE FUNCTION mdm_views.as_number(given TEXT) RETURNS NUMERIC LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE WHEN given ~ '^-?[0-9]+(\.[0-9]+)?$' THEN given::numeric END $$;
CREATE FUNCTION mdm_views.as_day(given TEXT) RETURNS DATE LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE WHEN given ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$'
                       AND substr(given, 9)::int <= EXTRACT(day FROM make_date(substr(given, 1, 4)::int,
                               substr(given, 6, 2)::int, 1) + interval '1 month' - interval '1 day')
                      THEN make_date(substr(given, 1, 4)::int, substr(given, 6, 2)::int, substr(given, 9)::int) END $$;
CREATE FUNCTION mdm_views.as_truth(given TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT CASE given WHEN 'true' THEN true WHEN 'false' THEN false END $$;

-- Queues that people keep, and bands; how far a band is changes with each piece and is told by its answers.
SELECT audit_table('saved_queue', 'id');
SELECT audit_table('review_band', 'id', left_out => '{position,answered,skipped}');
