"""The entity types that ship with the hub, the example, and the schemas that editors read."""

import json
from pathlib import Path

import pytest

from matching.standardise import FORMS
from mdm.entities.declaration import code_list_schema, entity_schema
from mdm.entities.mapping import map_record
from mdm.entities.model import Origin
from mdm.entities.service import DEFINITIONS, entity_types

CUSTOMER_MINIMUM = frozenset(
    {
        *("legal_name", "trading_names", "former_names", "tax_ids", "registration_number", "duns", "lei", "website"),
        *("phones", "emails", "street", "city", "postal_code", "region", "country", "addresses", "parent"),
        *("industry", "currency", "payment_terms", "status", "own_legal_entity"),
    }
)
EXAMPLES = Path(__file__).parents[3] / "examples" / "entities"


def test_four_entity_types_ship_with_the_hub() -> None:
    found = entity_types()

    assert {name: kind.id_prefix for name, kind in found.items()} == {
        "customer": "cus",
        "project": "prj",
        "contract": "con",
        "resource": "res",
    }
    assert (found["project"].within, found["contract"].within) == ("customer", "customer")


def test_a_customer_has_the_promised_attributes() -> None:
    customer = entity_types()["customer"]

    assert customer.attributes.keys() >= CUSTOMER_MINIMUM
    assert customer.groups["address"] == ("street", "city", "postal_code", "region", "country")
    assert {customer.attributes[name].group for name in customer.groups["address"]} == {"address"}
    assert len({customer.attributes[name].survivorship.strategy for name in customer.groups["address"]}) == 1


def test_versions_are_the_same_at_every_reading() -> None:
    first = entity_types()
    second = entity_types([DEFINITIONS])

    assert {name: kind.version for name, kind in first.items()} == {name: kind.version for name, kind in second.items()}


@pytest.mark.parametrize("name", ["customer", "project", "contract", "resource"])
def test_every_feature_has_a_use(name: str) -> None:
    model = entity_types()[name].model

    used = {comparison.feature for comparison in model.comparisons}
    used |= {part.feature for rule in model.blocking for part in rule.parts} | {veto.feature for veto in model.vetoes}
    assert {feature.name for feature in model.features} == used


@pytest.mark.parametrize("name", ["customer", "project", "contract"])
def test_vetoes_look_at_features_that_have_a_scope(name: str) -> None:
    model = entity_types()[name].model
    scoped = {"tax_id", "registration_number", "lei", "duns", "phase", "legal_form"}

    forms = {feature.name: feature.form for feature in model.features}
    one_for_all = {"country"}  # no scope is meant: two countries always differ
    assert {forms[veto.feature] for veto in model.vetoes} <= scoped | one_for_all <= FORMS.keys()


@pytest.mark.parametrize(("file", "schema"), [("entity", entity_schema()), ("code_list", code_list_schema())])
def test_the_schema_that_editors_read_is_the_one_of_the_loader(file: str, schema: dict[str, object]) -> None:
    written = json.loads((DEFINITIONS.parent / f"{file}.schema.json").read_text(encoding="utf-8"))

    assert written == schema


@pytest.mark.parametrize(
    "path", sorted([*DEFINITIONS.rglob("*.yaml"), *EXAMPLES.rglob("*.yaml")]), ids=lambda path: path.name
)
def test_every_declaration_points_its_editor_to_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]

    assert first.startswith("# yaml-language-server: $schema=")
    assert (path.parent / first.partition("$schema=")[2]).resolve().is_file()


def test_the_example_adds_vendors_by_its_file_alone() -> None:
    vendor = entity_types([EXAMPLES])["vendor"]

    mapped = map_record(
        vendor,
        {"Supplier Name": "Acme Ltd", "VAT": "GB123456782", "Terms": "Net 30", "iban": "GB99 NONE"},
        origin=Origin("d365-emea"),
    )

    assert mapped.values == {
        "name": "Acme Ltd",
        "tax_ids": ["GB123456782"],
        "bank_account": "GB99 NONE",
        "payment_terms": "net_30",
    }
    assert [(fault.code, fault.severity) for fault in mapped.faults] == [("iban_malformed", "hold_publishing")]
