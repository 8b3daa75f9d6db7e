"""A vendor's export is understood without a word about its columns."""

import pytest

from mdm.demo.landscape import INSTANCES
from mdm.demo.systems import LAYOUTS
from mdm.sources.vendors import OBJECTS, default_object, id_column, system_of


@pytest.mark.parametrize(
    ("columns", "system", "entity_type", "found"),
    [
        (["Name", "Id"], "salesforce", "customer", "Id"),
        (["CustomerAccount", "OrganizationName"], "d365", "customer", "CustomerAccount"),
        (["ProjectID", "CustomerAccount"], "d365", "project", "ProjectID"),
        (["CustomerAccount", "Name"], "unknown", "project", None),
        (["Customer No.", "Name"], "unknown", "customer", "Customer No."),
        (["name", "record_id", "id"], "unknown", "customer", "record_id"),
        (["name", "city"], "unknown", "customer", None),
    ],
)
def test_the_column_of_the_id_is_found(columns: list[str], system: str, entity_type: str, found: str | None) -> None:
    assert id_column(columns, system=system, entity_type=entity_type) == found


def test_every_object_of_the_demo_firm_has_the_id_column_of_its_vendor() -> None:
    id_columns = {(system, name): layout.id_column for (system, name), layout in LAYOUTS.items()}
    known = {(system, each.object): each.id_column for (system, _), each in OBJECTS.items()}

    assert {key: known[key] for key in id_columns if key in known} == {
        key: id_columns[key] for key in id_columns if key in known
    }
    assert id_columns.keys() <= known.keys()


def test_an_instance_is_named_after_its_system() -> None:
    assert all(system_of(one.id) in {one.system, "acquired"} for one in INSTANCES)
    assert default_object("salesforce", "customer") == "Account"
    assert default_object("homemade", "customer") == "customer"
