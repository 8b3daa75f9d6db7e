"""Refusals in the reader's language: each sentence that a steward can meet has words, in German too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.console.views.sentences import LENGTH_MAX, told
from api.console.words import CATALOGUES
from mdm import clock, errors
from mdm.decisions.model import Decision, Verdict
from mdm.ids import DecisionId, RecordId

ROOT = Path(__file__).parents[5]
# The use cases behind the pages of reviews, records and the queue.
ROOMS = (
    "mdm/stewardship/act.py",
    "mdm/stewardship/answers.py",
    "mdm/stewardship/band_preview.py",
    "mdm/stewardship/dealing.py",
    "mdm/stewardship/operations.py",
    "mdm/stewardship/overrides.py",
    "mdm/stewardship/queue_bands.py",
    "mdm/stewardship/queues.py",
    "mdm/stewardship/record.py",
    "mdm/stewardship/reviews.py",
    "mdm/stewardship/scene.py",
    "mdm/stewardship/taking_back.py",
    "mdm/decisions/closure.py",
    "mdm/decisions/service.py",
)
# Those behind the page Rules, and what it says of rules that look wrong.
ROOMS_OF_RULES = (
    "api/console/routes/rules.py",
    "mdm/modelling/editing.py",
    "mdm/modelling/service.py",
    "mdm/jobs/rematch.py",
)
# What only commands and the API can bring about.
OF_THE_RULES_OF_OTHERS = ("the declaration is not one of", "begin with `entity:", "request_invalid")
# What no page can bring about: bounds of the API and of commands, and what a form does not offer.
OF_OTHERS = (
    "reviews are skipped",
    "answers cannot be undone at once",
    "pairs are merged at once",
    "the golden records are",
    "there is no relation",
    "a decision needs two different records",
    "valid_to lies before",
    "a band is of one entity type",
    "a sample shows",
    "is no merge that",
    "is no operation:",
    "brought no record back",
    "leave the",
    "leave it out",
    "begin again",
    "ask again",
    "cut them into several",
    "name those of one entity type",
    "name two source keys",
    "swap or correct",
    "name one",
    "name an entity type",
    "choose another size",
    "name the event of a merge",
    "nothing to undo",
    "nothing is to approve",
    "there is nothing to stop",
    "it does not wait",
    "see `mdm review list",
    "has no answer left to undo",
    "decide about two records",
)
german = CATALOGUES["de"].gettext


def sentences(rooms: tuple[str, ...] = ROOMS) -> Iterator[tuple[str, str]]:
    """Give every text with which these rooms refuse, its parts filled in with a word."""
    for room in rooms:
        for node in ast.walk(ast.parse((ROOT / room).read_text())):
            if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
                continue
            call = node.exc
            is_named = ast.unparse(call.func) in {
                "DecisionContradicts",
                "GoldenRecordRetired",
                "PlanOutdated",
                "VersionOutdated",
            }
            given = [] if is_named or ast.unparse(call.func).endswith("Unknown") else list(call.args)
            given += [each.value for each in call.keywords if each.arg in {"remedy", "because"}]
            for text in (text for each in given for text in filled(each)):
                yield f"{room}:{node.lineno}", text


def filled(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*filled(node.body), *filled(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x1" for part in node.values)


def test_each_refusal_behind_the_pages_of_reviews_and_records_is_said_in_german() -> None:
    found = [(place, text) for place, text in sentences() if not any(part in text for part in OF_OTHERS)]

    assert len(found) > 70
    assert not [one for one in found if told(one[1], german) == one[1]]


def test_each_refusal_behind_the_page_of_rules_is_said_in_german() -> None:
    every = [text for _, text in sentences(ROOMS_OF_RULES) if not any(part in text for part in OF_THE_RULES_OF_OTHERS)]

    assert len(every) > 25
    assert not [text for text in every if told(text, german) == text]


def test_what_looks_wrong_about_rules_is_said_in_german() -> None:
    tree = ast.parse((ROOT / "mdm/modelling/sanity.py").read_text())
    asked = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "reasons_against")
    written = [text for node in ast.walk(asked) if isinstance(node, ast.JoinedStr) for text in filled(node)]
    every = [text for text in written if " " in text]  # not the formats of numbers

    assert len(every) == 8
    assert not [text for text in every if told(text, german) == text]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (errors.ReviewUnknown("rev_1"), "Es gibt keine Frage mit der Nummer rev_1, die Sie beantworten dürfen"),
        (errors.GoldenRecordRetired("cus_1"), "Der Datensatz cus_1 ist außer Gebrauch: Nichts gehört mehr zu ihm"),
        (
            errors.VersionOutdated("cus_1", expected=2, found="at version 3"),
            "Der Datensatz cus_1 ist jetzt at version 3, nicht mehr Version 2",
        ),
        (
            errors.OperationBlocked("evt_1", because="evt_2 took it back already", blocking=(), remedy=""),
            "Das Ereignis evt_1 lässt sich nicht zurücknehmen: evt_2 hat es schon zurückgenommen",
        ),
        (
            errors.RiskUnconfirmed("rev_1", risks=["identifiers_clash"], marks=["identifiers_clash.0a1b"]),
            "Zusammenführen bei Frage rev_1 birgt Gefahren, die nicht bestätigt wurden: identifiers clash",
        ),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_an_error_is_said_with_its_facts(error: errors.HubError, said: str) -> None:
    assert told(error.message, german) == said


def test_what_names_commands_and_words_of_the_hub_is_said_plainly_in_english_too() -> None:
    error = errors.GoldenRecordUnknown("cus_1")

    assert told(error.message, str) == "there is no record with the number cus_1"
    assert (
        told(error.remedy, str) == "look for its name with Ctrl K; every number that this hub gave out leads somewhere"
    )
    assert told(errors.GoldenRecordRetired("cus_1").message, str) == errors.GoldenRecordRetired("cus_1").message


def test_a_proof_is_said_link_by_link() -> None:
    links = [
        str(Decision(DecisionId(f"dec_{n}"), "customer", RecordId("a"), RecordId("b"), verdict, "ann", clock.now()))
        for n, verdict in enumerate((Verdict("same", "x"), Verdict("different", "x")))
    ]
    error = errors.DecisionContradicts("the two records are decided to be apart", chain=links)

    assert told(error.message, german) == (
        "Entschieden ist, dass die beiden getrennt sind: a ist dasselbe wie b (dec_0, ann);"
        " a ist nicht dasselbe wie b (dec_1, ann)"
    )


def test_what_no_message_fits_stays_as_it_is() -> None:
    for text in ("", "nobody has words for this", "x" * (LENGTH_MAX + 1), "a is b c (d, e" * 60):
        assert told(text, german) == text
