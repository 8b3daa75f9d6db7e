"""Why a delivery is not taken, in German: the rules of the shipped entity types, and what reading a value tells."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.console.views.reasons import REASONS
from api.console.views.sentences import told
from api.console.words import CATALOGUES
from mdm.entities.service import entity_types

ROOT = Path(__file__).parents[5]
# Where values are read and deliveries taken or rejected, and the calls that say why not.
ROOMS = ("mdm/entities/values.py", "mdm/entities/mapping.py", "mdm/sources/service.py", "mdm/activation/checks.py")
CALLS = frozenset({"Unreadable", "Reason", "_reason"})
german = CATALOGUES["de"].gettext


def said() -> Iterator[str]:
    """Give every text of these calls beside field and code, with a word in each hole."""
    for room in ROOMS:
        for node in ast.walk(ast.parse((ROOT / room).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
                for given in node.args[1 if ast.unparse(node.func) == "Unreadable" else 2 :]:
                    if isinstance(given, ast.JoinedStr):
                        yield "".join(filled(part) for part in given.values)
                    elif isinstance(given, ast.Constant) and " " in str(given.value):
                        yield str(given.value)


def filled(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "'x1'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "x1"


def test_each_rule_of_a_shipped_entity_type_is_said_in_german() -> None:
    rules = [rule for one in entity_types().values() for rule in one.validations]

    assert len(rules) >= 18
    for rule in rules:
        assert told(rule.message, german) != rule.message
        assert told(rule.remedy, german) != rule.remedy


def test_each_reason_why_a_value_or_a_delivery_is_not_taken_is_said_in_german() -> None:
    found = sorted({text for text in said() if text != "x1: x1"})

    assert len(found) > 25
    assert [text for text in found if told(text, german) == text] == []


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("end date: '31.31.2026' is not a date", "end date: '31.31.2026' ist kein Datum"),
        (
            "name: is a list of 3, but the attribute holds one value",
            "name: ist eine Liste von 3, das Feld nimmt aber einen Wert auf",
        ),
        ("crm-east/Account:1 is a customer, not a project", "crm-east/Account:1 ist: Kunde, nicht: Projekt"),
        ("our own rule of the house: no umlauts", "our own rule of the house: no umlauts"),
    ],
)
def test_a_reason_keeps_its_facts(sentence: str, words: str) -> None:
    assert told(sentence, german) == words


def test_no_reason_is_listed_twice() -> None:
    assert len(set(REASONS)) == len(REASONS)
