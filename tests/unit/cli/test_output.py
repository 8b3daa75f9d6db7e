"""What a terminal shows of a list."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from mdm.cli.output import _cut_table, print_facts, print_list, print_table
from mdm.sources.model import SourceKey

ID = "rev_01m8505j64vearjd2y6fwnmm1k"


def test_a_list_fits_the_terminal_and_keeps_its_ids_whole() -> None:
    written = io.StringIO()
    terminal = Console(file=written, width=60)

    terminal.print(_cut_table(["id", "left", "right"], [(ID, "Pemberley " * 6, "Jäderholm " * 6)]))

    shown = written.getvalue().splitlines()
    assert len(shown) == 2
    assert all(len(line) <= 60 for line in shown)
    assert ID in shown[1]
    assert shown[1].count("…") == 2


def test_a_list_is_not_cut_on_its_way_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(["id", "name"], [(ID, "x" * 150)], of="reviews")

    assert "x" * 150 in capsys.readouterr().out


def test_keys_and_instants_are_shown_as_people_write_them(capsys: pytest.CaptureFixture[str]) -> None:
    key = SourceKey.parse("salesforce-emea/Opportunity:7")
    at = datetime(2026, 11, 27, 19, 34, 5, 123456, tzinfo=UTC)

    print_list(["key", "until", "starts", "held by"], [(key, at, at.date(), None)], of="reservations")
    print_table(["key", "at"], [(key, at)])
    print_facts({"until": at})

    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "key until starts held by",
        "salesforce-emea/Opportunity:7 2026-11-27 19:34 2026-11-27",
        "key at",
        "salesforce-emea/Opportunity:7 2026-11-27 19:34",
        "until 2026-11-27 19:34",
    ]


def test_a_list_says_that_it_is_empty_or_that_more_waits(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(["id"], [], of="reviews", total=0)
    print_list(["id"], [(ID,)], of="reviews", total=280)

    told = capsys.readouterr()
    assert told.out.startswith("no reviews\n")
    assert told.err == "1 of 280 reviews; --limit 280 shows all\n"
