"""The state of a fake: its records, in the order of their changes, kept by the rules of its character.

Every write is whole: it is checked, then done, under one lock. What it refuses it raises as `Refused`. A record that is
deleted is gone without a trace; one that was merged away stays readable and names its survivor.
"""

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mdm.demo.fakes.checks import field_faults, without_empty
from mdm.demo.fakes.clock import Clock
from mdm.demo.fakes.model import Character, FieldFault, ObjectRules, Outcome, Record, Refused

CHANGES_MIN: Final = 1_000  # chosen: below it, outdated entries of the list of changes are not worth sweeping
REFERENCE_STEPS_MAX: Final = 1_000  # chosen: no hierarchy is as deep; a longer way up is taken for a circle


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to create; a user may choose its number."""

    object: str
    fields: Mapping[str, Any]
    scope: str = ""
    external_id: str = ""
    native_id: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of one record.

    scope        None where the id alone has to tell the record
    external_id  None leaves it as it is
    version      the one it has to be at; 0 for any
    """

    object: str
    native_id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    scope: str | None = None
    external_id: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class RecordsPage:
    """Records in the order of their last change; the cursor is the sequence of the last one seen."""

    records: Sequence[Record]
    cursor: int
    is_last: bool


class Records:
    """All records of one fake.

    has_duplicate_rule  refuse a record that equals another by the duplicate rule of its object
    """

    def __init__(self, character: Character, clock: Clock, *, scopes: Sequence[str] = ()) -> None:
        self.character = character
        self.scopes = tuple(scopes)
        self.has_duplicate_rule = False
        self._clock = clock
        self._lock = threading.RLock()
        self._sequence = 0
        self._counts: dict[str, int] = defaultdict(int)
        self._by_id: dict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
        self._alike: dict[tuple[Any, ...], dict[tuple[str, str, str], None]] = defaultdict(dict)
        # Every change of an object: its sequence, and beside it the record's key; outdated ones are passed over.
        self._changes: dict[str, tuple[list[int], list[tuple[str, str, str]]]] = defaultdict(lambda: ([], []))
        self._changes_max: dict[str, int] = defaultdict(lambda: CHANGES_MIN)

    def rules(self, object_: str) -> ObjectRules:
        """Return the rules of an object."""
        if object_ not in self.character.objects:
            raise Refused(404, "unknown_object", f"There is no object {object_}.")
        return self.character.objects[object_]

    def create(self, draft: Draft, *, by: str) -> Outcome:
        """Create a record; one that has its external id already is answered in its place, as it is."""
        with self._lock:
            rules = self.rules(draft.object)
            if known := self._known(draft):
                return Outcome(known, "known")
            fields = without_empty(draft.fields)
            record = Record(draft.object, draft.scope, "", {}, 0, 0, self._clock.now(), by)
            faults = [*self._scope_faults(rules, draft.scope)]
            self._check(replace(record, fields=fields), draft.fields, faults)
            native_id = draft.native_id or self._next_id(draft.object, rules)
            if draft.scope in self._by_id[draft.object, native_id]:
                raise Refused(409, "number_taken", f"{draft.object} {native_id} exists already.")
            record = replace(record, native_id=native_id, fields=fields, external_id=draft.external_id)
            return Outcome(self._put(record, by), "created", fields)

    def change(self, edit: Edit, *, by: str) -> Outcome:
        """Write fields of a record; what it holds already changes neither its version nor its time."""
        with self._lock:
            rules = self.rules(edit.object)
            record = self._writable(edit)
            fields = without_empty({**record.fields, **edit.fields})
            changed = {name: fields.get(name) for name in edit.fields if fields.get(name) != record.fields.get(name)}
            external_id = record.external_id if edit.external_id is None else edit.external_id
            result = replace(record, fields=fields, external_id=external_id)
            self._check(result, edit.fields, [])
            self._check_fixed(rules, record, changed)
            if external_id and external_id != record.external_id:
                self._check_external_id(result)
            if not changed and external_id == record.external_id:
                return Outcome(record, "unchanged")
            return Outcome(self._put(result, by), "changed", changed)

    def deactivate(self, edit: Edit, *, by: str) -> Outcome:
        """Take a record out of use; all else of it stays as it is."""
        return self.change(replace(edit, fields={self.character.inactive_field: True}), by=by)

    def reactivate(self, edit: Edit, *, by: str) -> Outcome:
        """Take a record into use again, as clearing its flag does."""
        return self.change(replace(edit, fields={self.character.inactive_field: False}), by=by)

    def merge(self, edit: Edit, into: str, *, by: str) -> Outcome:
        """Merge a record into another, which keeps its values; what referred to the loser refers to the survivor."""
        with self._lock:
            if not self.rules(edit.object).can_merge:
                message = f"Records of {edit.object} cannot be merged here; deactivate one and use the other."
                raise Refused(409, "cannot_merge", message)
            loser = self.find(edit.object, edit.native_id, edit.scope)
            if loser.merged_into == into and into:
                return Outcome(loser, "unchanged")
            loser = self._writable(edit)
            survivor = self._writable(Edit(edit.object, into, scope=loser.scope))
            if survivor.key == loser.key:
                raise Refused(409, "cannot_merge", f"{into} cannot be merged into itself.")
            gone = self._put(replace(loser, merged_into=into), by)
            self._point_to(survivor, loser, by)
            return Outcome(gone, "merged", {"merged_into": into})

    def merge_by_hand(self, edit: Edit, into: str, *, by: str) -> Record:
        """Merge as only a person can where the API cannot: the survivor takes what it lacked, the loser is deleted."""
        with self._lock:
            loser = self._writable(edit)
            survivor = self._writable(Edit(edit.object, into, scope=loser.scope))
            assert survivor.key != loser.key, "a record cannot be merged into itself"
            self._point_to(survivor, loser, by)
            self.delete(loser.object, loser.native_id, loser.scope)
            survivor = self.find(survivor.object, into, loser.scope)
            return self._put(replace(survivor, fields={**loser.fields, **survivor.fields}), by)

    def delete(self, object_: str, native_id: str, scope: str | None = None) -> Record:
        """Delete a record for good, as a user with the right to it can: nothing tells of it afterwards."""
        with self._lock:
            record = self.find(object_, native_id, scope)
            self._unlist(record)
            del self._by_id[object_, native_id][record.scope]
            return record

    def find(self, object_: str, native_id: str, scope: str | None = None) -> Record:
        """Return one record, merged away or not; without a scope its id has to be the only one."""
        self.rules(object_)
        with self._lock:
            by_scope = self._by_id.get((object_, native_id)) or {}
            found = list(by_scope.values()) if scope is None else [by_scope[scope]] if scope in by_scope else []
        if len(found) > 1:
            scopes = sorted(record.scope for record in found)
            raise Refused(300, "several_records", f"{object_} {native_id} is in {', '.join(scopes)}.")
        if not found:
            raise Refused(404, "unknown_record", f"There is no {object_} {native_id}.")
        return found[0]

    def page(self, object_: str, *, after: int, limit: int) -> RecordsPage:
        """Return the records of an object that changed after a sequence, each once, by its last change."""
        self.rules(object_)
        with self._lock:
            sequences, keys = self._changes[object_]
            records: list[Record] = []
            for place in range(bisect_right(sequences, after), len(sequences)):
                if (record := self._listed(keys[place], sequences[place])) is None:
                    continue
                if len(records) == limit:
                    return RecordsPage(records, records[-1].sequence, is_last=False)
                records.append(record)
            return RecordsPage(records, records[-1].sequence if records else after, is_last=True)

    def all(self, object_: str) -> tuple[Record, ...]:
        """Return all records of an object, in the order of their last change."""
        return tuple(self.page(object_, after=0, limit=max(self._sequence, 1)).records)

    def with_external_id(self, object_: str, external_id: str) -> tuple[Record, ...]:
        """Return the records of an object that hold an external id, in any legal entity, but those merged away."""
        return tuple(each for each in self.all(object_) if each.external_id == external_id and not each.merged_into)

    def _known(self, draft: Draft) -> Record | None:
        alike = self._records_alike((draft.object, draft.scope, "external_id", draft.external_id))
        if not draft.external_id or not alike:
            return None
        if len(alike) > 1:
            message = f"{len(alike)} records of {draft.object} hold the external id {draft.external_id}."
            raise Refused(300, "several_records", message, facts={"matches": [each.native_id for each in alike]})
        return alike[0]

    def _writable(self, edit: Edit) -> Record:
        record = self.find(edit.object, edit.native_id, edit.scope)
        if record.merged_into:
            message = f"{edit.object} {edit.native_id} was deleted by a merge into {record.merged_into}."
            raise Refused(404, "merged_away", message, facts={"merged_into": record.merged_into})
        if edit.version and edit.version != record.version:
            message = f"{edit.object} {edit.native_id} is at version {record.version}, not {edit.version}."
            raise Refused(412, "changed_meanwhile", message)
        return record

    def _scope_faults(self, rules: ObjectRules, scope: str) -> Iterator[FieldFault]:
        if (rules.is_scoped and self.scopes) and scope not in self.scopes:
            yield FieldFault("scope", "unknown_value", f"There is no legal entity {scope or '(none was given)'}.")
        elif not (rules.is_scoped and self.scopes) and scope:
            yield FieldFault("scope", "unknown_value", "Records of this object belong to no legal entity.")

    def _check(self, result: Record, written: Mapping[str, Any], faults: list[FieldFault]) -> None:
        rules = self.rules(result.object)
        faults += field_faults(rules, written, result.fields)
        faults += self._reference_faults(rules, result, written)
        if faults:
            message = " ".join(fault.message for fault in faults)
            raise Refused(422, "invalid_fields", message, faults=tuple(faults))
        if self.has_duplicate_rule:
            self._check_duplicates(rules, result, written)

    def _reference_faults(self, rules: ObjectRules, result: Record, written: Mapping[str, Any]) -> Iterator[FieldFault]:
        for name, value in written.items():
            allowed = rules.fields.get(name)
            if allowed is None or allowed.kind != "reference" or not value:
                continue
            scope = result.scope if self.rules(allowed.object).is_scoped else ""
            referred = self._by_id.get((allowed.object, str(value)), {}).get(scope)
            if referred is None or referred.merged_into:
                yield FieldFault(name, "unknown_reference", f"{name}: there is no {allowed.object} {value}.")
            elif not referred.is_active:
                yield FieldFault(name, "inactive_reference", f"{name}: {allowed.object} {value} is inactive.")
            elif allowed.object == result.object and self._leads_back(name, referred, result):
                yield FieldFault(name, "circular_reference", f"{name}: {value} stands below {result.native_id}.")

    def _leads_back(self, name: str, start: Record, target: Record) -> bool:
        above: Record | None = start
        for _ in range(REFERENCE_STEPS_MAX):
            if above is None:
                return False
            if above.key == target.key:
                return True
            above = self._by_id.get((start.object, str(above.fields.get(name, ""))), {}).get(start.scope)
        return True

    def _check_duplicates(self, rules: ObjectRules, result: Record, written: Mapping[str, Any]) -> None:
        for group in rules.duplicates:
            if not set(group) & set(written):
                continue
            alike = self._records_alike(_group_key(result, group))
            matches = [each.native_id for each in alike if each.is_active and each.key != result.key]
            if matches and all(name in result.fields for name in group):
                message = f"Use one of these records? {', '.join(group)} of {', '.join(matches)} is the same."
                faults = tuple(FieldFault(name, "duplicate", message) for name in group)
                raise Refused(409, "duplicate", message, faults=faults, facts={"matches": matches})

    def _check_fixed(self, rules: ObjectRules, record: Record, changed: Mapping[str, Any]) -> None:
        fixed = sorted(set(rules.fixed_in_use) & set(changed))
        if fixed and any(reference.object != record.object for reference, _ in self._referring(record)):
            message = f"{', '.join(fixed)} cannot be changed once there are projects or contracts."
            faults = tuple(FieldFault(name, "fixed_in_use", message) for name in fixed)
            raise Refused(422, "invalid_fields", message, faults=faults)

    def _check_external_id(self, result: Record) -> None:
        alike = self._records_alike((result.object, result.scope, "external_id", result.external_id))
        if alike and self.character.is_external_id_unique:
            matches = [each.native_id for each in alike]
            message = f"The external id {result.external_id} is taken by {', '.join(matches)}."
            raise Refused(409, "external_id_taken", message, facts={"matches": matches})

    def _referring(self, target: Record) -> Iterator[tuple[Record, str]]:
        for object_, rules in self.character.objects.items():
            names = [name for name, allowed in rules.fields.items() if allowed.object == target.object]
            for record in self.all(object_) if names else ():
                for name in names:
                    if record.fields.get(name) == target.native_id and record.scope == target.scope:
                        yield record, name

    def _point_to(self, survivor: Record, loser: Record, by: str) -> None:
        for reference, name in list(self._referring(loser)):
            target = None if reference.key == survivor.key else survivor.native_id
            self._put(replace(reference, fields=without_empty({**reference.fields, name: target})), by)

    def _next_id(self, object_: str, rules: ObjectRules) -> str:
        while True:
            self._counts[object_] += 1
            native_id = self.character.make_id(rules.id_prefix, self._counts[object_])
            if not self._by_id.get((object_, native_id)):
                return native_id

    def _put(self, record: Record, by: str) -> Record:
        before = self._by_id[record.object, record.native_id].get(record.scope)
        if before is not None:
            self._unlist(before)
        self._sequence += 1
        is_active = not record.merged_into and record.fields.get(self.character.inactive_field) is not True
        put = replace(
            record,
            version=record.version + 1,
            sequence=self._sequence,
            changed_at=self._clock.now(),
            changed_by=by,
            is_active=is_active,
        )
        self._by_id[put.object, put.native_id][put.scope] = put
        for key in self._keys_of(put):
            self._alike[key][put.key] = None
        sequences, keys = self._changes[put.object]
        sequences.append(put.sequence)
        keys.append(put.key)
        if len(keys) > self._changes_max[put.object]:
            self._sweep(put.object)
        return put

    def _sweep(self, object_: str) -> None:
        pairs = [pair for pair in zip(*self._changes[object_], strict=True) if self._listed(pair[1], pair[0])]
        self._changes[object_] = [sequence for sequence, _ in pairs], [key for _, key in pairs]
        self._changes_max[object_] = max(CHANGES_MIN, 2 * len(pairs))

    def _unlist(self, record: Record) -> None:
        for key in self._keys_of(record):
            self._alike[key].pop(record.key, None)
            if not self._alike[key]:
                del self._alike[key]

    def _keys_of(self, record: Record) -> Iterator[tuple[Any, ...]]:
        if record.merged_into:
            return
        if record.external_id:
            yield record.object, record.scope, "external_id", record.external_id
        for group in self.rules(record.object).duplicates:
            yield _group_key(record, group)

    def _records_alike(self, key: tuple[Any, ...]) -> list[Record]:
        return [self._by_id[object_, native_id][scope] for object_, scope, native_id in self._alike.get(key, ())]

    def _listed(self, key: tuple[str, str, str], sequence: int) -> Record | None:
        object_, scope, native_id = key
        record = self._by_id.get((object_, native_id), {}).get(scope)
        return record if record is not None and record.sequence == sequence else None


def _group_key(record: Record, group: tuple[str, ...]) -> tuple[Any, ...]:
    return record.object, record.scope, group, *(str(record.fields.get(name, "")).casefold() for name in group)
