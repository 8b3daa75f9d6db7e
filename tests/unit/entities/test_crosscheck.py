"""Faults of declarations side by side: none hides another, none makes a sound key look bad, no junk ends the check."""

import re
import time
from pathlib import Path

import pytest

from mdm.entities.crosscheck import Vocabulary, crosscheck
from mdm.entities.document import Document
from tests.unit.entities.declarations import SOUND, faults_of

DERIVED = """\
entity: plant
title: Plant
id_prefix: pla
attributes:
  name:
    title: Name
    type: company_name
  mail:
    title: Mail
    type: email
"""
WORDS = Vocabulary(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())
JUNK = ("5", "text", "true", "[5]", "[null]", "[[1]]", "{a: 1}", "{a: null}", "null")


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("code_list: country", "code_list:", "attributes.country: has type code and no code_list"),
        ("reference: {entity: customer}", "reference:", "attributes.owner: has type reference and no reference"),
        (
            "type: date\n  closed",
            "type: element\n    list: true\n    element_key: null\n  closed",
            "attributes.opened: has type element and no element_key",
        ),
    ],
)
def test_a_key_that_a_type_needs_is_missed_also_where_it_is_left_empty(
    tmp_path: Path, good: str, bad: str, expected: str
) -> None:
    assert SOUND.count(good) == 1

    faults = faults_of(tmp_path, SOUND.replace(good, bad))

    assert len(faults) == 1
    assert expected in faults[0]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("- {label: other, at_least: 0, bits: -6}", "- 5", "levels.1: should be"),
        (
            "- {label: same, at_least: 0.95, bits: 10}",
            "- same\n        - {label: near, at_least: 0.9, bits: 3}",
            "levels.0: should be",
        ),
        (
            "validations:",
            "  far: {title: F, columns: [name]}\ngroups:\n  a: {attributes: [far, 7], prefixes: [x_]}\nvalidations:",
            "groups.a.attributes.1: should be",
        ),
        (
            "    title: Opened\n    type: date\n  closed:\n    title: Closed",
            "  closed:\n    title: Closed\n    composed_of: [opened]",
            "attributes.opened: should be",
        ),
        (
            "attributes:\n  name:",
            "within: base\nattributes:\n  base: [1]\n  name:",
            "attributes.base: should be",
        ),
        ("    - name: name\n      feature", "    - feature", "comparisons.0.name: is missing"),
        ("id_prefix: pla", "id_prefix: pla\npolicy: mrege\nmerge_bits: 9", "policy: 'mrege' is not known here"),
        ("strategy: most_recent", "strategy: same_winner_as, options: 7", "survivorship.options: should be"),
        ("match_bits: 4", "match_bits: -900", "matching.match_bits: should be greater"),
    ],
)
def test_a_fault_is_the_only_one_told(tmp_path: Path, good: str, bad: str, expected: str) -> None:
    assert SOUND.count(good) == 1

    faults = faults_of(tmp_path, SOUND.replace(good, bad))

    assert len(faults) == 1, faults
    assert expected in faults[0]


@pytest.mark.parametrize(
    "matching",
    [
        "",
        "matching: {match_bits: 5}\n",
        "matching: {vetoes: [{name: own, feature: name}]}\n",
        "matching: {comparisons: [{name: name, term_frequency: true}]}\n",
        "matching: {rules: [{name: own, verdict: match, when: {name: same}}]}\n",
    ],
)
@pytest.mark.parametrize(
    ("good", "bad"), [("    title: Name\n", ""), ("type: company_name", "type: compny"), ("  mail:", "  Mail-X:")]
)
def test_an_attribute_with_a_fault_says_nothing_about_what_is_derived_from_it(
    tmp_path: Path, matching: str, good: str, bad: str
) -> None:
    faults = faults_of(tmp_path, DERIVED.replace(good, bad) + matching)

    assert len(faults) == 1, faults
    assert "attributes." in faults[0]


def test_what_was_written_is_checked_also_where_nothing_can_be_derived(tmp_path: Path) -> None:
    matching = "matching: {features: {own: {form: nowhere}}, blocking: [{key: [own]}], match_bits: high}\n"

    faults = faults_of(tmp_path, DERIVED.replace("    title: Name\n", "") + matching)

    assert [fault.split(": ")[1] for fault in faults] == [
        "attributes.name.title",
        "matching.blocking.0.name",
        "matching.features.own.form",
        "matching.match_bits",
    ]


def test_a_derived_rule_asks_nothing_of_levels_that_could_not_be_read(tmp_path: Path) -> None:
    levels = "[same, {label: other, at_least: 0, bits: -6}]"

    faults = faults_of(tmp_path, f"{DERIVED}matching: {{comparisons: [{{name: name, levels: {levels}}}]}}\n")

    assert len(faults) == 1, faults
    assert "matching.comparisons.0.levels.0: should be" in faults[0]


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        (
            "type: company_name\n    columns: [plant name]\n    survivorship: {strategy: most_recent}",
            "type: compny\n    survivorship: {strategy: same_winner_as, optons: 1, options: {attribute: nowhere}}",
            ["'compny' is not known", "optons is not a key", "no attribute to follow called nowhere; write owner"],
        ),
        ("{entity: customer}", "{entity: customr, obj: 3}", ["no entity type customr", "obj is not a key"]),
        ("[closed, opened]", "[closd, 7]", ["no attribute closd", "attributes.1: should be"]),
        ("when: {name: same}", "when: {name: 3, nme: same}", ["when.name: should be", "no comparison nme"]),
        ('["name|first:4"]', '["nme|first:4", 3]', ["no feature nme", "key.1: should be"]),
    ],
)
def test_a_fault_within_a_list_or_a_nested_part_hides_no_other(
    tmp_path: Path, good: str, bad: str, expected: list[str]
) -> None:
    assert SOUND.count(good) == 1

    faults = faults_of(tmp_path, SOUND.replace(good, bad))

    assert len(faults) == len(expected), faults
    assert all(any(part in fault for fault in faults) for part in expected), faults


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("key", ["features", "blocking", "comparisons", "rules", "vetoes"])
def test_any_part_of_matching_may_be_junk(tmp_path: Path, key: str, junk: str) -> None:
    text = re.sub(rf"(?m)^  {key}:\n(    .*\n)+", "", SOUND)

    faults = faults_of(tmp_path, f"{text}  {key}: {junk}\n")

    assert faults
    assert all(f": matching.{key}" in fault for fault in faults if "there is no" not in fault)


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("key", ["attributes", "groups", "validations", "matching", "reviews", "within"])
def test_any_section_may_be_junk(tmp_path: Path, key: str, junk: str) -> None:
    head = "entity: plant\ntitle: Plant\nid_prefix: pla\n"
    attributes = "" if key == "attributes" else "attributes: {name: {title: Name, type: company_name, list: 7}}\n"

    assert faults_of(tmp_path, f"{head}{attributes}{key}: {junk}\nmerge_bits: []\n")


def test_the_remedy_of_an_unknown_name_reads_well(tmp_path: Path) -> None:
    text = SOUND.replace("columns: [plant name]", "composed_of: [zzzz]").replace("{name: same}", "{name: zzzz}")

    faults = faults_of(tmp_path, text)

    assert "name an other single attribute that exists" in faults[0]
    assert "name a level of name that exists" in faults[1]


def test_many_attributes_each_with_another_unknown_key_take_no_time() -> None:
    """These take a tenth of a second; a shape made for each unknown key took half a minute."""
    attributes = {f"made_{number}": {"title": "Made", f"key_{number}": 1} for number in range(1_500)}
    content = {"entity": "plant", "title": "Plant", "id_prefix": "pla", "attributes": attributes}
    began = time.process_time()

    faults = crosscheck(Document("plant.yaml", content, {}), WORDS)

    assert faults == []
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code_lists/soil.yaml", "code_list: soil\ncodes: {c: {title: Clay}}\n"),
        ("code_lists/soil.yaml", "code_list: soil\ntitle: [\n"),
        ("code_lists/ground.yaml", "title: Soil\ncodes: {c: {title: Clay}}\n"),
        ("code_lists/soil.csv", "kode,title\nc,Clay\n"),
    ],
    ids=["without a title", "no YAML", "without a name", "a CSV of other columns"],
)
def test_a_list_with_a_fault_makes_no_attribute_look_bad(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "code_lists").mkdir()
    (tmp_path / name).write_text(text, encoding="utf-8")

    faults = faults_of(tmp_path, SOUND.replace("code_list: country", "code_list: soil"))

    assert [fault.partition(":")[0] for fault in faults] == [name]


@pytest.mark.parametrize(
    "text",
    ["entity: owner\ntitle: [\n", SOUND.replace("entity: plant\n", "", 1).replace("id_prefix: pla", "id_prefix: own")],
    ids=["no YAML", "without a name"],
)
def test_an_entity_type_with_a_fault_makes_no_reference_look_bad(tmp_path: Path, text: str) -> None:
    (tmp_path / "owner.yaml").write_text(text, encoding="utf-8")

    faults = faults_of(tmp_path, SOUND.replace("{entity: customer}", "{entity: owner}"))

    assert [fault.partition(":")[0] for fault in faults] == ["owner.yaml"]
