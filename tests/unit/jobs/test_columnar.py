"""Columns of files become records as the mapping makes them row by row."""

import pyarrow as pa
import pytest

from mdm.demo.firm import build_firm
from mdm.entities.mapping import map_record, match_row
from mdm.entities.model import Origin
from mdm.entities.service import entity_types
from mdm.errors import InputInvalid
from mdm.jobs.columnar import records_of

FIRM = build_firm(scale=0.05)


@pytest.mark.parametrize("entity", ["customer", "project", "contract", "resource"])
@pytest.mark.parametrize("instance", ["salesforce-emea", "d365-emea", "netsuite-us", "kantata", "certinia"])
def test_a_table_reads_like_its_rows(entity: str, instance: str) -> None:
    """Texts that say nothing ("n/a") are left to the compare forms, so only values that the rows keep are compared."""
    entity_type = entity_types()[entity]
    records = [r for r in FIRM.records if r.entity_type == entity and r.instance == instance]
    columns = dict.fromkeys(column for record in records for column in record.fields)
    cells = {name: [_text(record.fields.get(name, "")) for record in records] for name in columns}
    table = pa.table({**cells, "id": [record.key for record in records], "source": [instance] * len(records)})

    found = records_of(table, entity_type, {})

    for position, record in enumerate(records):
        row = match_row(entity_type, map_record(entity_type, record.fields, origin=Origin(instance)).values)
        for path, values in row.items():
            assert list(found.records.attributes[path].of(position)) == values, (record.key, path)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def test_several_columns_of_a_list_come_in_the_order_of_preference() -> None:
    table = pa.table({"id": ["1", "2"], "mobile": ["22", ""], "phone": ["11", "33"]})

    found = records_of(table, entity_types()["customer"], {})

    phones = found.records.attributes["phones"]
    assert [set(phones.of(0)), phones.of(1)] == [{"11", "22"}, ("33",)]


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(InputInvalid, match="the id '1' comes twice"):
        records_of(pa.table({"id": ["1", "1"]}), entity_types()["customer"], {})
