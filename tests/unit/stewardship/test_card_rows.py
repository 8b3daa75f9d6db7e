"""The waterfall of a card adds up to what the match model gives, whatever the two records hold."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from matching.explain import explain
from mdm.demo.firm import build_firm
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType, Origin
from mdm.entities.service import entity_types
from mdm.ids import RecordId
from mdm.resolution.service import standardise
from mdm.sources.model import SourceKey, SourceRecord
from mdm.stewardship.card_cells import Held, Known, as_records, forms_told
from mdm.stewardship.card_model import Row
from mdm.stewardship.card_rows import Table, parts_of, rows_of

CUSTOMER = entity_types()["customer"]
KNOWN = Known({}, {}, {})


@cache
def customers() -> tuple[SourceRecord, ...]:
    """Give some records of the demo firm as they are stored."""
    found = []
    for one in islice((one for one in build_firm(scale=0.1).records if one.entity_type == "customer"), 150):
        values = map_record(CUSTOMER, one.fields, origin=Origin(one.instance)).values
        found.append(record(one.key, **values))
    return tuple(found)


def record(key: str, **values: object) -> SourceRecord:
    return SourceRecord(RecordId(key), SourceKey.parse(key), "customer", "active", 1, None, None, values, 1)


def table_of(left: SourceRecord, right: SourceRecord, entity_type: EntityType = CUSTOMER) -> Table:
    placed = (left, right)
    held = [{name: Held(value, None, True, True) for name, value in one.values.items()} for one in placed]
    texts, places = as_records(entity_type, list(zip(placed, held, strict=True)))
    forms = standardise(entity_type, [*placed, *texts])
    told = forms_told(entity_type, forms, 2, places)
    explanation = explain(forms, 0, 1, entity_type.model)
    return Table(entity_type, KNOWN, held, forms, told, explanation, True, {})


def named(rows: tuple[Row, ...]) -> dict[str, Row]:
    return {row.attribute: row for row in rows}


KESTREL = record(
    "crm/Account:1",
    legal_name="Kestrel Advisory Ltd",
    registration_number="07461923",
    phones=["+44 20 7946 0958"],
    city="London",
    country="GB",
)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(customers()), min_size=2, max_size=2, unique_by=lambda record: record.id))
def test_the_rows_add_up_to_the_bits_of_the_pair(pair: list[SourceRecord]) -> None:
    left, right = pair

    table = table_of(left, right)
    rows = rows_of(table)

    assert table.explanation is not None
    reached = Decimal(str(table.explanation.prior_bits))
    for row in (row for row in rows if row.is_evidence):
        assert row.before == float(reached)
        reached += Decimal(str(row.bits or 0.0))
        assert row.after == float(reached)
    assert float(reached) == table.explanation.bits
    assert [step for row in rows for step in row.steps] != []


def test_swapped_digits_are_near_and_another_city_differs() -> None:
    other = record(
        "erp/customer:2",
        legal_name="KESTREL ADVISORY LIMITED",
        registration_number="07461932",
        phones=["020 7946 0958"],
        city="Bristol",
        country="GB",
    )

    rows = named(rows_of(table_of(KESTREL, other)))

    assert {name: row.verdict for name, row in rows.items()} == {
        "legal_name": "same",
        "registration_number": "near",
        "phones": "same",
        "city": "different",
        "country": "same",
    }


def test_what_one_side_lacks_is_missing_and_named_with_the_side_that_has_it() -> None:
    other = record("erp/customer:2", legal_name="Kestrel Advisory", trading_names=["Kestrel"], country="GB")

    rows = rows_of(table_of(KESTREL, other))

    found = {part.attribute: part.column for part in parts_of(rows) if part.verdict == "missing"}
    assert found == {"registration_number": 0, "phones": 0, "city": 0}
    assert named(rows)["trading_names"].counted_in == "legal_name"


def test_the_form_of_a_text_tells_what_the_matcher_ignores() -> None:
    cells = named(rows_of(table_of(KESTREL, KESTREL)))

    (name,), (phone,) = cells["legal_name"].cells[0].values, cells["phones"].cells[0].values
    assert {one.feature: one.forms for one in name.forms} == {
        "name": ("kestrel advisory",),
        "legal_form": ("*:ltd",),
        "registered_name": ("kestrel advisory *:ltd",),
    }
    assert [one.forms for one in phone.forms] == [("442079460958",)]


def test_a_code_is_told_with_its_title() -> None:
    known = replace(KESTREL, values={"legal_name": "Kestrel", "status": "on_hold"})

    (status,) = named(rows_of(table_of(known, known)))["status"].cells[0].values

    assert (status.text, status.title) == ("on_hold", "On hold")
