"""Declarations of one's own: they load by a file alone, and every fault comes at once with its line."""

import shutil
import time
from pathlib import Path

import pytest

from matching.comparators import COMPARATORS
from matching.standardise import FORMS
from matching.transforms import TRANSFORMS
from mdm.entities.crosscheck import Vocabulary, crosscheck
from mdm.entities.document import Document
from mdm.entities.model import (
    Condition,
    ReviewApproval,
    ReviewDue,
    ReviewGuards,
    ReviewPolicy,
    ReviewRoute,
)
from mdm.entities.overlay import with_matching
from mdm.entities.service import DEFINITIONS, entity_type, entity_types
from mdm.errors import EntityDeclarationInvalid, EntityTypeUnknown
from tests.unit.entities.declarations import SOUND, faults_of


def test_an_entity_type_takes_one_file_alone(tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(SOUND, encoding="utf-8")

    plant = entity_types([tmp_path])["plant"]

    assert plant.id_prefix == "pla"
    assert plant.attributes["owner"].reference is not None
    assert plant.attributes["owner"].reference.entity_type == "customer"
    assert [part.transform for part in plant.model.blocking[0].parts] == ["first:4"]
    assert plant.code_lists.keys() == {"country"}


def test_a_file_of_the_same_name_replaces_a_built_in_type(tmp_path: Path) -> None:
    text = (DEFINITIONS / "customer.yaml").read_text(encoding="utf-8").replace("title: Customer", "title: Client", 1)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")

    found = entity_types([tmp_path])["customer"]

    assert found.title == "Client"
    assert found.version != entity_types()["customer"].version
    assert found.model.version == entity_types()["customer"].model.version


def test_an_unknown_type_is_named_with_the_known_ones() -> None:
    with pytest.raises(EntityTypeUnknown) as refused:
        entity_type("custmer")

    assert "customer" in refused.value.remedy


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("title: Plant", "titel: Plant", ["1: title: is missing", "2: titel: titel is not a key here; write title"]),
        (
            "strategy: most_recent",
            "strategy: most_recnt",
            ["9: attributes.name.survivorship.strategy", "write most_recent"],
        ),
        (
            "type: date\n  closed",
            "type: dat\n  closed",
            ["16: attributes.opened.type: 'dat' is not known here; write date"],
        ),
        (
            "id_prefix: pla",
            "id_prefix: P-1",
            ["3: id_prefix: should match pattern", "two to eight lower-case letters"],
        ),
        ("id_prefix: pla", "id_prefix: cus", ["3: id_prefix: cus is the id prefix of customer already"]),
        ("code_list: country", "code_list: county", ["13: attributes.country.code_list", "write country"]),
        ("    code_list: country\n", "", ["10: attributes.country: has type code and no code_list"]),
        ("entity: customer", "entity: custmer", ["23: attributes.owner.reference.entity", "write customer"]),
        (
            "attributes: [closed, opened]",
            "attributes: [closd, opened]",
            ["27: validations.0.attributes.0", "write closed"],
        ),
        ('    operator: ">="\n', "", ["25: validations.0: is of kind cross_field and has no operator"]),
        ("form: company_name", "form: company_nam", ["34: matching.features.name.form", "write company_name"]),
        ("attributes: [name]", "attributes: [nane]", ["34: matching.features.name.attributes.0", "write name"]),
        ("name|first:4", "nam|first:4", ["36: matching.blocking.0.key.0: there is no feature nam; write name"]),
        ("name|first:4", "name|frist:4", ["36: matching.blocking.0.key.0: there is no transform frist; write first"]),
        ("feature: name", "feature: names", ["39: matching.comparisons.0.feature", "write name"]),
        (
            "comparator: company_name",
            "comparator: compny",
            ["40: matching.comparisons.0.comparator", "write company_name"],
        ),
        (
            "at_least: 0, bits",
            "at_least: 0.1, bits",
            ["43: matching.comparisons.0.levels.1: the last level does not begin"],
        ),
        (
            "at_least: 0.95",
            "at_least: 0",
            ["43: matching.comparisons.0.levels.1: level other begins at 0, not below same"],
        ),
        (
            "when: {name: same}",
            "when: {nam: same}",
            ["45: matching.rules.0.when.nam: there is no comparison nam; write name"],
        ),
        ("when: {name: same}", "when: {name: sme}", ["45: matching.rules.0.when.name", "write same"]),
        ("review_bits: 0", "review_bits: 9", ["48: matching.review_bits: 9 lies above match_bits 4"]),
        ("columns: [plant name]", "composed_of: [opend]", ["8: attributes.name.composed_of.0", "write opened"]),
        (
            "columns: [plant name]",
            "columns: [opened]",
            ["14: attributes.opened: the column 'opened' fills name already"],
        ),
    ],
)
def test_a_fault_names_its_line_and_what_to_write(tmp_path: Path, good: str, bad: str, expected: list[str]) -> None:
    assert SOUND.count(good) >= 1

    faults = "\n".join(faults_of(tmp_path, SOUND.replace(good, bad, 1)))

    for part in expected:
        assert part in faults


def test_all_faults_of_one_file_come_at_once_in_order(tmp_path: Path) -> None:
    text = SOUND
    for good, bad in [
        ("id_prefix: pla", "id_prefix: prj"),
        ("type: company_name", "type: compnay_name"),
        ("code_list: country", "code_list: cuntry"),
        ("entity: customer", "entity: customr"),
        ("attributes: [closed, opened]", "attributes: [closed, open]"),
        ("severity: warn", "severity: warning"),
        ("form: company_name", "form: companyname"),
        ("feature: name", "feature: nam"),
        ("at_least: 0, bits", "at_least: 0.5, bits"),
        ("verdict: possible_match", "verdict: possible"),
        ("match_bits: 4", "match_bits: four"),
    ]:
        assert good in text
        text = text.replace(good, bad, 1)

    faults = faults_of(tmp_path, text)

    # One fault for each line broken above.
    lines = [int(fault.split(":")[1]) for fault in faults]
    assert lines == [3, 7, 13, 23, 27, 29, 34, 39, 43, 45, 47]
    assert all(fault.startswith("plant.yaml:") and "; " in fault for fault in faults)


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (
            "    title: Country\n    type: code\n    code_list: country",
            "    type: code\n    code_list: cuntry",
            ["10: attributes.country.title: is missing", "code_list: there is no code list cuntry; write country"],
        ),
        (
            "    title: Owner\n    type: reference\n    reference: {entity: customer}",
            "    type: reference\n    reference: {entity: customr}",
            ["attributes.owner.title: is missing", "reference.entity: there is no entity type customr"],
        ),
        (
            "      feature: name\n      comparator: company_name",
            "      feature: nam\n      comparator: company_nam\n      weight: 3",
            ["weight is not a key here", "there is no feature nam; write name", "there is no comparator company_nam"],
        ),
        (
            "label: same, at_least: 0.95, bits: 10}\n        - {label: other, at_least: 0, bits: -6}",
            "label: same, at_least: 0.95, bits: x}\n        - {label: same, at_least: 0.96, bits: -6}",
            [
                "levels.0.bits: should be a valid number (here: 'x')",
                "level same begins at 0.96, not below same at 0.95",
                "the label same is used a second time",
                "the last level does not begin at 0",
            ],
        ),
        (
            "verdict: possible_match, when: {name: same}",
            "verdict: possible, when: {name: sam, nme: same}",
            [
                "verdict: 'possible' is not known here",
                "there is no level of name called sam; write same",
                "there is no comparison nme; write name",
            ],
        ),
        (
            "validations:",
            "groups:\n  days: {attributes: [opend, closed], prefixes: first}\nvalidations:",
            ["groups.days.prefixes: should be a valid list", "there is no attribute opend; write opened"],
        ),
        (
            '    attributes: [closed, opened]\n    operator: ">="\n    severity: warn',
            '    attributes: [closd]\n    operator: ">>"\n    severity: warning',
            [
                "operator: '>>' is not known here",
                "severity: 'warning' is not known here; write warn",
                "there is no attribute closd; write closed",
                "cross_field compares two attributes",
            ],
        ),
        (
            "name: {form: company_name, attributes: [name], country_from: [country]}",
            "name: {form: 7, attributes: [nam], country_from: [contry]}",
            ["features.name.form: should be", "there is no attribute nam;", "there is no attribute contry;"],
        ),
    ],
)
def test_a_fault_hides_no_other_fault_of_its_entry(tmp_path: Path, good: str, bad: str, expected: list[str]) -> None:
    assert SOUND.count(good) == 1

    faults = faults_of(tmp_path, SOUND.replace(good, bad))

    assert len(faults) == len(expected), faults
    assert all(any(part in fault for fault in faults) for part in expected), faults


def test_a_key_with_a_fault_makes_no_other_key_look_bad(tmp_path: Path) -> None:
    """What goes with a type, a list or a kind is not known where these could not be read."""
    text = SOUND
    for good, bad in [
        ("type: code\n", "type: cod\n"),
        (
            "reference: {entity: customer}",
            "reference: {entity: 7}\n  note:\n    title: Note\n    list: some\n    survivorship: {strategy: union}",
        ),
        ("attributes: [closed, opened]", "attributes: 7"),
        ('operator: ">="', "operator: 7"),
        ("- {label: same, at_least: 0.95, bits: 10}", "- {label: 7, at_least: high, bits: 10}"),
    ]:
        assert good in text
        text = text.replace(good, bad, 1)

    faults = faults_of(tmp_path, text)

    assert len(faults) == 7, faults
    assert sum("is not known here" in fault for fault in faults) == 2
    assert sum("should be" in fault for fault in faults) == 5


def test_a_code_list_among_the_entity_types_is_told_where_it_belongs(tmp_path: Path) -> None:
    (tmp_path / "tier.yaml").write_text("code_list: tier\ntitle: Tier\ncodes: {a: {title: A}}\n", encoding="utf-8")

    faults = faults_of(tmp_path, SOUND.replace("title: Country", "titel: Country"))

    assert len(faults) == 3
    assert "tier.yaml:1: is a code list among the entity types; move the file into the folder code_lists" in faults[2]


def test_faults_of_several_files_and_code_lists_come_together(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    list_text = "code_list: payment_terms\ntitle: Terms\nby_source:\n  netsuite-us:\n    N30: net_3\n"
    (tmp_path / "code_lists" / "payment_terms.yaml").write_text(list_text, encoding="utf-8")
    (tmp_path / "code_lists" / "soil.csv").write_text("kode,title\nA,Clay\n", encoding="utf-8")
    (tmp_path / "other.yaml").write_text(SOUND, encoding="utf-8")

    faults = faults_of(tmp_path, SOUND, "plant.yaml")

    assert len(faults) == 3
    assert "payment_terms.yaml:5: by_source.netsuite-us.N30: there is no code net_3; write net_30" in faults[0]
    assert "soil.csv:1: has no columns code and title" in faults[1]
    assert "plant.yaml:1: entity: plant is declared in other.yaml already" in faults[2]


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(EntityDeclarationInvalid, match="is not a folder"):
        entity_types([tmp_path / "absent"])


def test_patterns_must_be_re2(tmp_path: Path) -> None:
    rule = """\
  - {name: odd, kind: pattern, attributes: [name], pattern: '(?=a)b', message: m, remedy: r}
matching:
"""

    faults = faults_of(tmp_path, SOUND.replace("matching:\n", rule, 1))

    assert len(faults) == 1
    assert faults[0].startswith("plant.yaml:32: validations.1.pattern: is not a pattern")
    assert "no look-around" in faults[0]


def test_groups_decide_for_their_members(tmp_path: Path) -> None:
    group = "groups:\n  life: {attributes: [name, opend]}\nvalidations:\n"

    faults = faults_of(tmp_path, SOUND.replace("validations:\n", group, 1))

    assert [fault.split(": ", 1)[1] for fault in faults] == [
        "attributes.name.survivorship: the group life decides for its members; declare it at the group, once",
        "groups.life.attributes.1: there is no attribute opend; write opened",
    ]


def test_a_folder_of_ones_own_adds_words_to_a_code_list(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    text = "code_list: payment_terms\ntitle: Payment terms\nby_source: {netsuite-us: {'7': net_60, '8': }}\n"
    (tmp_path / "code_lists" / "payment_terms.yaml").write_text(text, encoding="utf-8")
    shutil.copy(DEFINITIONS / "customer.yaml", tmp_path)

    found = entity_types([tmp_path])["customer"].code_lists["payment_terms"]

    assert found.by_source["netsuite-us"] == {"7": "net_60", "8": ""}
    assert found.codes["net_30"] == "Net 30 days"


REVIEWS = """\
reviews:
  guards: {bridge_bits: 6, records_max: 20}
  routes:
    - {to: "group:dach", kinds: [join], sources: [crm], when: {attribute: country, values: [DE, AT]}}
  due:
    - {days: 2, kinds: [contradiction], stake_min: 10}
  approval: {established: true, published_keys: 5, bulk: 50}
"""


def test_reviews_are_declared_and_change_no_version(tmp_path: Path) -> None:
    for name, declared in (("without", SOUND), ("with", SOUND + REVIEWS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plant.yaml").write_text(declared, encoding="utf-8")

    without, plant = (entity_types([tmp_path / name])["plant"] for name in ("without", "with"))

    assert plant.version == without.version
    assert without.reviews == ReviewPolicy()
    assert plant.reviews == ReviewPolicy(
        guards=ReviewGuards(bridge_bits=6, records_max=20),
        routes=(ReviewRoute("group:dach", ("join",), ("crm",), Condition("country", ("DE", "AT"))),),
        due=(ReviewDue(2, ("contradiction",), 10),),
        approval=ReviewApproval(established=True, published_keys=5, bulk=50),
    )


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("attribute: country", "attribute: contry", "reviews.routes.0.when.attribute: there is no attribute contry"),
        ("bridge_bits: 6", "bridge_bits: 3", "reviews.guards.bridge_bits: 3 lies below the match line 4"),
        ("kinds: [join]", "kinds: [joins]", "write join"),
        ("days: 2", "days: 0", "reviews.due.0.days"),
    ],
)
def test_a_fault_of_reviews_is_named_with_its_place(tmp_path: Path, good: str, bad: str, expected: str) -> None:
    assert good in REVIEWS

    faults = faults_of(tmp_path, SOUND + REVIEWS.replace(good, bad))

    assert any(expected in fault for fault in faults), faults


def test_the_checks_of_many_attributes_take_time_in_step_with_them() -> None:
    """These take about two seconds; what grows with their square took most of a minute."""
    attributes = {f"made_{number}": {"title": "Made"} for number in range(16_000)}
    content = {"entity": "plant", "title": "Plant", "id_prefix": "pla", "attributes": attributes}
    words = Vocabulary(frozenset(FORMS), frozenset(COMPARATORS), frozenset(TRANSFORMS), frozenset(), frozenset())
    began = time.process_time()

    document, faults = with_matching(Document("plant.yaml", content, {}))
    faults += crosscheck(document, words)

    assert faults == []
    assert time.process_time() - began < 10
