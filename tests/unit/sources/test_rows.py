"""A row becomes a delivery with its key and time, or says why it cannot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mdm.entities.service import entity_types
from mdm.errors import FileUnreadable, InputInvalid
from mdm.sources.files_faults import FileFault
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.rows import FileLayouts, FileOrigin, delivery_of, layout_of, require_mapped

FILE = Path("export.csv")
D365 = SourceInstance("d365-emea", "d365", "Dynamics")


def origin(entity: str = "customer", **given: object) -> FileOrigin:
    return FileOrigin(D365, entity_types()[entity], **given)  # type: ignore[arg-type]


def read(row: dict[str, Any], source: FileOrigin) -> Delivery | FileFault:
    return delivery_of(FILE, 2, row, layout_of(FILE, tuple(row), source), source)


def test_a_vendors_row_needs_no_word_about_its_columns() -> None:
    row = {
        "CustomerAccount": "C1",
        "dataAreaId": "usmf",
        "OrganizationName": "Contoso",
        "LastModifiedDate": "2026-01-02",
    }

    found = read(row, origin())

    assert isinstance(found, Delivery)
    assert found.key == SourceKey("d365-emea", "customer", "usmf", "C1")
    assert found.source_time == datetime(2026, 1, 2, tzinfo=UTC)
    assert "CustomerAccount" not in found.fields  # it is the key, and no attribute of a customer


def test_an_id_that_is_an_attribute_too_stays_in_the_fields() -> None:
    found = read({"ProjectID": "PR1", "ProjectName": "Phase 2"}, origin("project"))

    assert isinstance(found, Delivery)
    assert (found.key.native_id, found.fields["ProjectID"]) == ("PR1", "PR1")


def test_what_the_row_says_goes_before_what_is_said_of_the_file() -> None:
    row = {"id": "1", "source": "d365-us", "object": "custtable", "scope": "demf", "name": "Contoso"}

    found = read(row, origin(object="other", scope="usmf"))

    assert isinstance(found, Delivery)
    assert str(found.key) == "d365-us/custtable/demf:1"


def test_a_row_says_which_column_named_its_instance() -> None:
    named, unnamed = (read({"id": "1", "Source": source}, origin()) for source in ("d365-us", ""))
    mapped_away = read({"id": "1", "Source": "d365-us"}, origin(columns={"Source": ""}))

    assert [one.source_column for one in (named, unnamed, mapped_away) if isinstance(one, Delivery)] == [
        *("Source", "", "")
    ]
    assert isinstance(mapped_away, Delivery)
    assert mapped_away.key.instance == "d365-emea"


def test_a_source_that_can_be_no_instance_is_told_with_its_column() -> None:
    found = read({"id": "1", "Source": "Trade show", "name": "Contoso"}, origin())

    assert isinstance(found, FileFault)
    assert (found.column, found.code) == ("Source", "source_key_invalid")
    assert "'Trade show' cannot be the id of a source instance" in found.message
    assert found.remedy == "leave the column out with --map Source="


def test_a_column_mapped_by_hand_wins_over_its_name() -> None:
    found = read({"id": "1", "Nr": "7", "name": "Contoso"}, origin(columns={"Nr": "id"}))

    assert isinstance(found, Delivery)
    assert found.key.native_id == "7"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T10:00:00.000+0000", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01 10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("", None),
    ],
)
def test_instants_of_vendors_are_understood(text: str, instant: datetime | None) -> None:
    found = read({"id": "1", "updated_at": text}, origin())

    assert isinstance(found, Delivery)
    assert found.source_time == instant


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"id": "", "name": "x"}, "id_missing"),
        ({"id": " \u00a0", "name": "x"}, "id_missing"),
        ({"id": "1", "IsDeleted": ["true"]}, "key_not_text"),
        ({"id": "1", "IsDeleted": {"a": "1"}}, "key_not_text"),
        ({"id": "1", "updated_at": "soon"}, "time_unreadable"),
        ({"id": "1", "updated_at": "9999-12-31T23:59:59-12:00"}, "time_unreadable"),
        ({"id": "1", "updated_at": "0001-01-01T00:00:00+14:00"}, "time_unreadable"),
        ({"id": "1" * 300, "name": "x"}, "source_key_invalid"),
        ({"id": ["1"], "name": "x"}, "key_not_text"),
        ({"id": {"a": "1"}, "name": "x"}, "key_not_text"),
        ({"id": True, "name": "x"}, "key_not_text"),
        ({"id": "1", "source": ["d365-emea"]}, "key_not_text"),
        ({"id": "1", "updated_at": False}, "key_not_text"),
    ],
)
def test_a_row_without_a_key_or_time_is_a_fault(row: dict[str, str], code: str) -> None:
    found = read(row, origin())

    assert isinstance(found, FileFault)
    assert found.code == code
    assert found.message.startswith("export.csv, line 2")


def test_a_file_without_an_id_lists_its_columns() -> None:
    with pytest.raises(FileUnreadable, match="its columns are Foo, Bar"):
        layout_of(FILE, ("Foo", "Bar"), origin())
    with pytest.raises(FileUnreadable, match="its columns are Foo, Bar"):
        layout_of(Path("export.csv.gz"), ("Foo", "Bar"), origin())


def test_a_row_of_jsonl_may_lack_the_id_that_others_have() -> None:
    path = Path("export.jsonl")
    layouts = FileLayouts(path, origin())

    layout, is_new = layouts.find({"name": "x"})
    found = delivery_of(path, 7, {"name": "x"}, layout, origin())

    assert is_new
    assert isinstance(found, FileFault)
    assert (found.code, found.message) == ("id_missing", "export.jsonl, line 7: holds no id")
    with pytest.raises(FileUnreadable, match="no column holds the record's id; its columns are name"):
        layouts.require_id()
    assert [layouts.find(row)[1] for row in ({"id": "1"}, {"id": "2"}, {"name": "y"})] == [True, False, False]
    layouts.require_id()
    assert list(layouts.columns) == ["name", "id"]


def test_mapping_to_what_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(InputInvalid) as refused:
        require_mapped(origin().entity_type, {"Name": "legal_nme"})

    assert refused.value.remedy == "did you mean legal_name?"


@pytest.mark.parametrize(
    ("row", "is_deletion", "survivor"),
    [
        ({"Id": "1", "Name": "x", "IsDeleted": "false", "MasterRecordId": ""}, False, None),
        ({"Id": "1", "Name": "x", "IsDeleted": "true", "MasterRecordId": ""}, True, None),
        ({"Id": "1", "Name": "x", "IsDeleted": True, "MasterRecordId": "2"}, True, "d365-emea/customer:2"),
        ({"Id": "1", "Name": "x", "IsDeleted": "0", "MasterRecordId": "000000000000000AAA"}, False, None),
        ({"Id": "1", "Name": "x", "MergedToContactID": "2"}, False, "d365-emea/customer:2"),
    ],
)
def test_rows_say_that_their_record_is_gone(row: dict[str, Any], is_deletion: bool, survivor: str | None) -> None:
    found = read(row, origin())

    assert isinstance(found, Delivery)
    assert found.is_deletion is is_deletion
    assert (found.merged_into and str(found.merged_into)) == survivor
    assert found.fields == {"Name": "x"}
