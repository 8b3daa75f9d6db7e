"""Columns to attributes, for a row and for a whole file."""

import pytest

from mdm.entities.columns import closest_types, columns_by_attribute, record_column
from mdm.entities.service import entity_types
from tests.unit.entities import vendor_columns

CUSTOMER = entity_types()["customer"]


@pytest.mark.parametrize(
    ("column", "part"),
    [
        ("id", "id"),
        ("ID", "id"),
        ("Source", "source"),
        ("object", "object"),
        ("dataAreaId", "scope"),
        ("Updated At", "source_time"),
        ("SystemModstamp", "source_time"),
        ("name", None),
        ("", None),
    ],
)
def test_the_columns_of_the_source_key(column: str, part: str | None) -> None:
    assert record_column(column) == part


def test_a_file_is_assigned_once_for_all_rows() -> None:
    columns = ["id", "source", "name", "addr", "city", "phone", "tel", "type", "billing_zip", "billing_city"]

    assigned = columns_by_attribute(CUSTOMER, columns, {"type": "industry"})

    assert assigned == {
        "legal_name": ("name",),
        "phones": ("phone", "tel"),
        "street": ("addr",),
        "city": ("billing_city",),
        "postal_code": ("billing_zip",),
        "industry": ("type",),
    }


def test_a_mapping_to_no_attribute_leaves_the_column_out() -> None:
    assert columns_by_attribute(CUSTOMER, ["name", "city"], {"city": "", "name": "no such attribute"}) == {}


def test_all_types_that_fit_columns_best_are_named_and_none_where_the_given_one_does() -> None:
    declared = entity_types()
    columns = ["id", "title", "client id", "start date", "currency"]

    assert closest_types(declared, columns, "customer") == ("contract", "project")
    assert closest_types(declared, columns, "project") == ()
    assert closest_types(declared, ["internalId", "companyName", "url", "country"], "contract") == ("customer",)


@pytest.mark.parametrize(
    ("entity", "attribute", "column"),
    [
        (entity, attribute, column)
        for entity, attributes in vendor_columns.COLUMNS.items()
        for attribute, columns in attributes.items()
        for column in columns.split()
    ],
)
def test_a_vendors_column_is_read_into_its_attribute(entity: str, attribute: str, column: str) -> None:
    assert columns_by_attribute(entity_types()[entity], [column], {}) == {attribute: (column,)}
