"""What a terminal shows of a list."""

import io

import pytest
from rich.console import Console

from mdm.cli.output import _cut_table, print_list

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


def test_a_list_says_that_it_is_empty_or_that_more_waits(capsys: pytest.CaptureFixture[str]) -> None:
    print_list(["id"], [], of="reviews", total=0)
    print_list(["id"], [(ID,)], of="reviews", total=280)

    told = capsys.readouterr()
    assert told.out.startswith("no reviews\n")
    assert told.err == "1 of 280 reviews; --limit 280 shows all\n"
