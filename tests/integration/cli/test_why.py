"""`mdm why`, `mdm story`, `mdm event`, `mdm show --life`, and `mdm resolve` at another time."""

import re
from decimal import Decimal

import pytest

from tests.integration.cli.conftest import Mdm, document, lines

pytestmark = pytest.mark.db

FIRST, SECOND, THIRD = "salesforce-emea/Account:001A", "netsuite-us/customer:42", "salesforce-emea/Account:001B"


def test_why_says_one_sentence_and_the_sum(loaded: Mdm) -> None:
    for other, kind in ((SECOND, "same_golden_record"), (THIRD, "not_compared")):
        told = document(loaded("why", FIRST, other, "--json"))
        printed = loaded("why", FIRST, other).stdout

        assert told["kind"] == kind
        assert printed.startswith(told["sentence"])
        shown = [Decimal(bits) for bits in re.findall(r" ([+-]\d+(?:\.\d+)?)(?= |$)", _sum(printed), re.MULTILINE)]
        assert sum(shown[:-1]) == shown[-1] == Decimal(str(told["explanation"]["bits"]))


def _sum(printed: str) -> str:
    """Give the lines from the prior to the sum."""
    lines_ = printed.splitlines()
    begin = next(place for place, line in enumerate(lines_) if line.startswith("before anything is compared"))
    end = next(place for place, line in enumerate(lines_) if line.startswith("sum "))
    # The third column holds the bits; compared values behind it may look like numbers too.
    at = lines_[begin - 1].index("bits")
    return "\n".join(" " + line[at:].split(" ", 1)[0] for line in lines_[begin : end + 1])


def test_why_not_shows_how_the_two_stand_to_each_blocking_rule(loaded: Mdm) -> None:
    printed = loaded("why", FIRST, THIRD).stdout

    assert "Blocking rules:" in printed
    assert "would meet under" in printed


def test_a_merge_is_told_as_story_life_and_event(loaded: Mdm) -> None:
    before = {key: document(loaded("resolve", key, "--json"))["golden_id"] for key in (FIRST, THIRD)}
    loaded("decide", "same", FIRST, THIRD, "--reason", "one company since 2024")
    survivor = document(loaded("resolve", FIRST, "--json"))["golden_id"]
    (loser,) = set(before.values()) - {survivor}

    story, life = loaded("story", FIRST).stdout, loaded("show", loser, "--life").stdout

    assert "merged in" in story
    assert "one company since 2024" in story
    assert "carried by" in story
    assert f"absorbed, forwards to {survivor}" in life
    assert document(loaded("show", survivor, "--life", "--json"))["absorbed"] == [loser]
    event_id = document(loaded("show", loser, "--life", "--json"))["lines"][-1]["event"]["id"]
    event = loaded("event", event_id).stdout
    assert f"{loser}  active  forwarded to {survivor}" in re.sub(r" {2,}", "  ", event)
    assert document(loaded("event", event_id, "--json"))["event"]["reason"] == "one company since 2024"
    assert document(loaded("story", loser, "--json"))["golden"]["id"] == survivor


def test_a_life_has_no_instant(loaded: Mdm) -> None:
    assert loaded("show", FIRST, "--life", "--as-of", "2026-01-01").exit_code == 2


def test_a_key_is_resolved_at_an_instant_of_the_world(loaded: Mdm) -> None:
    """The account was last changed in March 2026; NetSuite's file gives no times."""
    found = document(loaded("resolve", FIRST, "--valid-at", "2026-04-01", "--json"))

    assert (found["keys"], found["undated"]) == ([FIRST], [SECOND])
    early = loaded("resolve", FIRST, "--valid-at", "2026-02-01")
    assert early.exit_code == 1
    assert "was not there yet" in early.stderr
    undated = loaded("resolve", SECOND, "--valid-at", "2026-04-01")
    assert undated.exit_code == 1
    assert "gives no times" in undated.stderr
    assert loaded("resolve", FIRST, "--valid-at", "soon").exit_code == 2


def test_an_unknown_event_or_record_says_where_to_look(loaded: Mdm) -> None:
    assert "look at the history of the golden record" in loaded("event", "evt_nobody").stderr
    assert "exists as netsuite-us/customer:42" in loaded("why", FIRST, "netsuite-us/vendor:42").stderr
    assert "mdm find" in loaded("story", "Maschinenbau").stderr
    assert lines(loaded("find", "maschinenbau", "--json"))
