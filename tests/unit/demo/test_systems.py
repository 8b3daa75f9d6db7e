"""The shipped entity declarations read every column of every system, and find the planted faults and no others."""

from collections.abc import Mapping
from typing import Any

import pytest

from mdm.demo.firm import DemoRecord, build_firm
from mdm.entities.mapping import map_record
from mdm.entities.model import MappedRecord, Origin
from mdm.entities.service import entity_types

MEANT_TO_BE_REJECTED = frozenset({"missing_name", "project_template"})


@pytest.fixture(scope="module")
def mapped() -> list[tuple[DemoRecord, MappedRecord]]:
    types = entity_types()
    return [
        (record, map_record(types[record.entity_type], record.fields, origin=Origin(record.instance)))
        for record in build_firm().records
    ]


def test_exactly_the_intended_records_are_rejected(mapped: list[tuple[DemoRecord, MappedRecord]]) -> None:
    rejected = {r.key for r, found in mapped if any(fault.severity == "reject" for fault in found.faults)}

    assert rejected == {r.key for r, _ in mapped if MEANT_TO_BE_REJECTED & r.traps}


def test_exactly_the_planted_codes_are_unknown(mapped: list[tuple[DemoRecord, MappedRecord]]) -> None:
    unknown = {r.key for r, found in mapped if any(fault.code == "unknown_code" for fault in found.faults)}

    assert unknown == {r.key for r, _ in mapped if "unknown_code" in r.traps}


def test_no_other_fault_is_found(mapped: list[tuple[DemoRecord, MappedRecord]]) -> None:
    """A currency that is unknown is also missing; nothing else may be said."""
    expected = MEANT_TO_BE_REJECTED | {"unknown_code"}

    others = [(r.key, found.faults) for r, found in mapped if found.faults and not expected & r.traps]

    assert others == []


def test_every_column_is_claimed_by_an_attribute(mapped: list[tuple[DemoRecord, MappedRecord]]) -> None:
    """Undeclared stay placeholders, unknown codes, and the F of NetSuite's isInactive, which says nothing."""
    left: dict[str, Mapping[str, Any]] = {
        record.key: found.undeclared
        for record, found in mapped
        if found.undeclared and not {"placeholder", "unknown_code"} & record.traps
    }

    assert {(column, value) for columns in left.values() for column, value in columns.items()} <= {("isInactive", "F")}
