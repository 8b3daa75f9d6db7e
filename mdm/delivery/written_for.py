"""Whose value the hub wrote into a field of a target: pure.

A golden record may part again: a merge is taken back, it is divided, a record moves. What the hub wrote meanwhile into
a record of one part, and only members of another part had said, is neither that record's own nor its golden record's.
The ledger keeps for each value of the hub that stands in a field, or may, as which version of which golden record it
was written; the lineage of that version names the members that said it, and the crosswalk where they belong now. So a
value that its own members do not say any more is told from one that left with the members who said it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mdm.delivery.hashes import hash_value
from mdm.delivery.model import FieldRule, Held, OwnRecord, RecordSubscription
from mdm.entities.model import EntityType
from mdm.ids import GoldenId

Marks = Mapping[str, Mapping[str, str]]
"""By field and hash of a value: the golden record and its version, as `cus_1@5`."""


def mark_of(golden_id: GoldenId, version: int) -> str:
    """Name a version of a golden record."""
    return f"{golden_id}@{version}"


def read_mark(mark: str) -> tuple[GoldenId, int]:
    """Give the golden record and the version that a mark names."""
    golden_id, _, version = mark.rpartition("@")
    return GoldenId(golden_id), int(version)


def with_marks(marks: Marks, more: Marks) -> dict[str, Mapping[str, str]]:
    """Add marks to those of before; of one value the newer counts."""
    return {**marks, **{name: {**marks.get(name, {}), **some} for name, some in more.items()}}


def marked(hashes: Mapping[str, str], fields: Mapping[str, Any], mark: str) -> Marks:
    """Mark the values that are written; an emptied field holds nobody's value."""
    return {name: {hashes[name]: mark} for name, value in fields.items() if value not in (None, [])}


def standing_marks(held: Held) -> dict[str, dict[str, str]]:
    """Give the marks of values that stand there or were asked for: all that can be of use."""
    found = {
        name: {hash_: mark for hash_, mark in some.items() if hash_ in _possible(held, name)}
        for name, some in held.written_for.items()
    }
    return {name: some for name, some in found.items() if some}


def marks_in_question(
    subscription: RecordSubscription, entity_type: EntityType, values: Mapping[str, Any], record: OwnRecord
) -> Iterator[tuple[FieldRule, str]]:
    """Give the fields that may hold the value of others: those of which the golden record says nothing any more.

    Where it says nothing at all, what stands there is all that is left; what its type requires is emptied by no rule.
    """
    if record.held is None or not values:
        return
    required = {name for one in entity_type.validations if one.kind == "required" for name in one.attributes}
    kept = [rule for rule in subscription.fields if rule.owner == "hub" and not rule.clears]
    for rule in kept:
        if rule.attribute not in required and values.get(rule.attribute) in (None, []):
            marks = record.held.written_for.get(rule.target_field, {})
            yield from ((rule, marks[hash_]) for hash_ in _possible(record.held, rule.target_field) if hash_ in marks)


def givers(lineage: Mapping[str, Any], rule: FieldRule) -> list[list[str]]:
    """Give the keys of the records that said a value that was written: for each part of it, all that said that part."""
    line = lineage.get(rule.attribute)
    if line is None:
        return []
    parts = line.get("elements") or [[line["record_key"], *line.get("agreeing", ())]]
    return parts[:1] if rule.takes == "first" else parts


def is_of_others(parts: list[list[str]], golden_id: GoldenId, belonging: Mapping[str, GoldenId]) -> bool:
    """Tell whether all that said a part of a value belong to other golden records; of one that is unknown it is not."""
    return any(all(belonging.get(key, golden_id) != golden_id for key in keys) for keys in parts)


def holds_anothers(rule: FieldRule, held: Held, parted: frozenset[tuple[str, str]]) -> bool:
    """Tell whether a field holds what the hub wrote as the value of members that left.

    Or may, as it was asked for without an answer; over what the target itself had there nothing is written.

    parted  (field, mark) of which that is so
    """
    marks = held.written_for.get(rule.target_field, {})
    there, *asked = _possible(held, rule.target_field)
    if (rule.target_field, marks.get(there, "")) in parted:
        return True
    is_empty = there == hash_value(held.salt, rule.target_field, None)
    return is_empty and any((rule.target_field, marks.get(one, "")) in parted for one in asked)


def _possible(held: Held, name: str) -> tuple[str, ...]:
    """Give the hash of what stands in a field, "" where that is not known, then those of what was asked for."""
    return held.hashes.get(name, ""), *(held.intended or {}).get(name, ())
