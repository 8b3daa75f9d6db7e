"""The invariants of the hub as queries on a live database: each names what violates it, and none should name anything.

`mdm check` runs them in production, the tests after every crash. Each is named by its number and the sentence that has
to hold; those called `derived` follow from facts and decisions and could be worked out again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.db.statement import text
from mdm.entities.model import EntityType
from mdm.history.store import UNAUDITED
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.survivorship import service as survivorship
from mdm.survivorship import store as survivorship_store

SHOWN_MAX: Final = 20  # violations of one invariant that a report names; the rest is counted
COUNTED_MAX: Final = 10_000  # violations of one invariant that are counted
RECOMPUTED: Final = 1_000  # golden records whose values a check works out again

INVARIANTS: Final[Mapping[str, str]] = {
    "I1 every active record belongs to one golden record of its type": """
        SELECT r.id FROM source_record r LEFT JOIN golden_record g ON g.id = r.golden_id
         WHERE r.state = 'active' AND (g.id IS NULL OR g.state <> 'active' OR g.entity_type <> r.entity_type)""",
    "I1 an active record has one open membership, and it agrees with the record": """
        SELECT r.id FROM source_record r LEFT JOIN membership m ON m.record_id = r.id AND m.recorded_to IS NULL
         WHERE (r.state = 'active') <> (m.record_id IS NOT NULL)
            OR (m.record_id IS NOT NULL AND m.golden_id <> r.golden_id)""",
    "I2 only active golden records have members, and each has one": """
        SELECT g.id FROM golden_record g
         WHERE (g.state = 'active')
            <> EXISTS (SELECT FROM source_record r WHERE r.golden_id = g.id AND r.state = 'active')""",
    "I3 I4 every forward leads in one hop to an id that does not forward": """
        SELECT f.id FROM golden_record f LEFT JOIN golden_record t ON t.id = f.forward_to
         WHERE f.state = 'forwarded' AND (t.id IS NULL OR t.state = 'forwarded' OR t.entity_type <> f.entity_type)""",
    "I9 records decided apart are apart": """
        SELECT d.id FROM decision d JOIN source_record l ON l.id = d.left_id JOIN source_record r ON r.id = d.right_id
         WHERE d.revoked_at IS NULL AND d.judgement <> 'same' AND l.state = 'active' AND r.state = 'active'
           AND l.golden_id = r.golden_id""",
    "I10 records decided the same are together": """
        SELECT d.id FROM decision d JOIN source_record l ON l.id = d.left_id JOIN source_record r ON r.id = d.right_id
         WHERE d.revoked_at IS NULL AND d.judgement = 'same' AND l.state = 'active' AND r.state = 'active'
           AND l.golden_id <> r.golden_id""",
    "an open reservation stands for a record that is there": """
        SELECT q.id FROM reservation q JOIN source_record r ON r.id = q.record_id
         WHERE q.state = 'open' AND r.state = 'deleted'""",
    "I12 every golden value names an active member or an override": """
        SELECT v.golden_id || ' ' || l.key FROM golden_version v CROSS JOIN LATERAL jsonb_each(v.lineage) AS l
         WHERE v.recorded_to IS NULL AND v.state = 'active' AND NOT l.value ? 'override'
           AND NOT EXISTS (SELECT FROM source_record r WHERE r.id = l.value ->> 'record_id' AND r.golden_id =
           v.golden_id
                              AND r.state = 'active')""",
    "I13 versions are dense and end at the head": """
        SELECT g.id FROM golden_record g LEFT JOIN golden_version v ON v.golden_id = g.id
         GROUP BY g.id, g.version
        HAVING count(v.version) <> g.version OR g.version < 1 OR max(v.version) <> g.version""",
    "I13 versions follow each other without gap or overlap": """
        SELECT golden_id || ' ' || version FROM (SELECT golden_id, version, recorded_to,
               lead(recorded_from) OVER (PARTITION BY golden_id ORDER BY version) AS next_from FROM golden_version) AS v
         WHERE recorded_to IS DISTINCT FROM next_from""",
    "I13 the newest version says what the golden record is": """
        SELECT g.id FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version
         WHERE (v.state, v.forward_to) IS DISTINCT FROM (g.state, g.forward_to)""",
    "I14 the newest version of a record is its head": """
        SELECT r.id FROM source_record r LEFT JOIN source_record_version v ON v.record_id = r.id AND v.version =
        r.version
         WHERE v.record_id IS NULL OR v.state <> CASE r.state WHEN 'withdrawn' THEN 'active' ELSE r.state END
            OR v.content_hash <> r.content_hash""",
    "I18 there is one event for each golden version": """
        SELECT v.golden_id || ' ' || v.version FROM golden_version v
         WHERE (SELECT count(*) FROM event e WHERE e.golden_id = v.golden_id AND e.version = v.version) <> 1""",
    "I18 every message is of a version that exists": """
        SELECT m.target_id || ' ' || m.golden_id FROM outbox_message m LEFT JOIN golden_version v USING (golden_id,
        version)
         WHERE v.golden_id IS NULL""",
    "I18 each subscribed target was told of the newest version": """
        SELECT t.id || ' ' || g.id FROM target t JOIN golden_record g ON t.entity_types @>
        jsonb_build_array(g.entity_type)
         WHERE NOT EXISTS (SELECT FROM outbox_message m
                            WHERE m.target_id = t.id AND m.golden_id = g.id AND m.version = g.version)""",
    "I18 the feed says of each review whether it is open": """
        SELECT q.id FROM review q JOIN event e ON e.review_id = q.id GROUP BY q.id, q.state
        HAVING count(*) FILTER (WHERE e.kind = 'review.opened') - count(*) FILTER (WHERE e.kind = 'review.closed')
            <> CASE q.state WHEN 'open' THEN 1 ELSE 0 END
         UNION ALL SELECT q.id FROM review q WHERE q.state = 'open'
           AND NOT EXISTS (SELECT FROM event e WHERE e.review_id = q.id)""",
    "I19 a lane ends at its newest message": """
        SELECT l.target_id || ' ' || l.golden_id FROM delivery_lane l
         WHERE l.head IS DISTINCT FROM (SELECT max(m.version) FROM outbox_message m
                                         WHERE m.target_id = l.target_id AND m.golden_id = l.golden_id)""",
    "I23 every change has its audit entry": UNAUDITED,
    "access: nobody who is disabled has a session or a link": """
        SELECT s.id FROM console_session s JOIN person p ON p.id = s.person_id
         WHERE p.disabled_at IS NOT NULL AND s.ended_at IS NULL
         UNION ALL SELECT l.id FROM person_link l JOIN person p ON p.id = l.person_id
         WHERE p.disabled_at IS NOT NULL AND l.ended_at IS NULL AND l.redeemed_at IS NULL""",
    "access: a link is redeemed or ended, not both, and there is one open link a person at most": """
        SELECT id FROM person_link WHERE redeemed_at IS NOT NULL AND ended_at IS NOT NULL
         UNION ALL SELECT min(id) FROM person_link
         WHERE person_id IS NOT NULL AND redeemed_at IS NULL AND ended_at IS NULL GROUP BY person_id
        HAVING count(*) > 1""",
    "derived: every active golden record can be searched for, and no other": """
        SELECT coalesce(g.id, s.golden_id) FROM (SELECT id FROM golden_record WHERE state = 'active') AS g
          FULL JOIN golden_search s ON s.golden_id = g.id WHERE g.id IS NULL OR s.golden_id IS NULL""",
    "derived: the match model that an edge names is kept": """
        SELECT DISTINCT e.model_version FROM edge e
         WHERE NOT EXISTS (SELECT FROM match_model m WHERE m.version = e.model_version)""",
    "derived: edges and keys are of active records": """
        SELECT r.id FROM source_record r WHERE r.state <> 'active'
           AND (EXISTS (SELECT FROM blocking_key b WHERE b.record_id = r.id)
                OR EXISTS (SELECT FROM edge e WHERE e.left_id = r.id OR e.right_id = r.id))""",
    "derived: a record is ended as its open ending says": """
        SELECT r.id FROM source_record r
          FULL JOIN (SELECT * FROM source_ending WHERE recorded_to IS NULL) AS e ON e.record_id = r.id
         WHERE (r.ended_because, r.successor_id) IS DISTINCT FROM (e.because, e.successor_id)""",
    "derived: a record is given up for another one as the last fact about it says": """
        SELECT e.source_key FROM (SELECT DISTINCT ON (source_key) * FROM source_event
                                   WHERE other_key IS NOT NULL AND ended_at IS NULL
                                   ORDER BY source_key, coalesce(happened_at, recorded_at) DESC, id DESC) AS e
          JOIN source_record r ON r.entity_type = e.entity_type AND r.state <> 'deleted' AND e.source_key =
               r.instance_id || '/' || r.object || CASE WHEN r.scope = '' THEN '' ELSE '/' || r.scope END || ':' ||
               r.native_id
          LEFT JOIN source_record s ON s.id = r.successor_id
         WHERE r.ended_because IS DISTINCT FROM e.kind OR (s.id IS NULL) <> (e.event_id IS NULL)""",
    "derived: a golden value is of no record that its source gave up while another member lives": """
        SELECT v.golden_id || ' ' || l.key FROM golden_version v CROSS JOIN LATERAL jsonb_each(v.lineage) AS l
          JOIN source_record r ON r.id = l.value ->> 'record_id'
         WHERE v.recorded_to IS NULL AND v.state = 'active' AND NOT l.value ? 'override'
           AND r.ended_because IS NOT NULL
           AND EXISTS (SELECT FROM source_record m WHERE m.golden_id = v.golden_id AND m.state = 'active'
                          AND m.ended_because IS NULL)""",
    "derived: a record given up for another is with it, or a steward is asked or has answered": """
        SELECT r.id FROM source_record r JOIN source_record s ON s.id = r.successor_id
         WHERE r.state = 'active' AND s.state = 'active' AND r.golden_id <> s.golden_id
           AND NOT EXISTS (SELECT FROM review q WHERE q.left_id IN (r.id, s.id) AND q.right_id IN (r.id, s.id)
                              AND (q.state = 'open' OR EXISTS (SELECT FROM review_answer a WHERE a.review_id = q.id
                                                                AND a.state = 'carried_out')))""",
    "derived: the records of a retired instance are ended": """
        SELECT r.id FROM source_instance i JOIN source_record r ON r.instance_id = i.id
         WHERE i.is_settled AND r.state <> 'deleted'
           AND (CASE WHEN i.retired_at IS NULL THEN r.ended_because = 'instance_retired'
                     ELSE r.ended_because IS NULL END)""",
    "derived: a child is matched within its parent as that stands now": """
        SELECT c.id FROM source_record c JOIN golden_record g ON g.id = c.context
         WHERE c.state = 'active' AND g.state <> 'active'""",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One invariant that does not hold, how often, and some of what violates it."""

    invariant: str
    count: int
    shown: tuple[str, ...]


def check(connection: Connection, declared: Mapping[str, EntityType]) -> tuple[Violation, ...]:
    """Run every invariant query and work out a sample of golden values again; an empty answer means that all hold."""
    found = []
    for invariant, query in INVARIANTS.items():
        rows = connection.execute(text(f"{query} LIMIT {COUNTED_MAX}")).scalars().all()
        if rows:
            found.append(Violation(invariant, len(rows), tuple(map(str, rows[:SHOWN_MAX]))))
    drifted = _drifted(connection, declared)
    if drifted:
        invariant = "I11 golden values are what members, rules and overrides give"
        found.append(Violation(invariant, len(drifted), drifted[:SHOWN_MAX]))
    return tuple(found)


def _drifted(connection: Connection, declared: Mapping[str, EntityType]) -> tuple[str, ...]:
    """Return the golden records of a sample whose stored values are not what their members give now."""
    at = clock.now()
    rows = connection.execute(
        text(
            "SELECT g.id FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version"
            " WHERE g.entity_type = ANY(:types) AND v.rules_version = ANY(:rules)"
            " AND (g.next_change_at IS NULL OR g.next_change_at > now()) ORDER BY md5(g.id) LIMIT :limit"
        ),
        {"types": list(declared), "rules": [one.version for one in declared.values()], "limit": RECOMPUTED},
    )
    ids = [GoldenId(id_) for id_ in rows.scalars()]
    goldens = identity_store.select_goldens(connection, ids)
    stored = survivorship_store.select_checksums(connection, ids)
    drifted = []
    for id_, golden in goldens.items():
        if survivorship.recompute(connection, declared[golden.entity_type], golden, at=at) != stored.get(id_):
            drifted.append(str(id_))
    return tuple(drifted)
