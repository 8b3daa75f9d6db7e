"""Every scenario that the hub promises to pass is a test named by its id, as `test_m01_…`; none is lost in a move."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TESTS = Path(__file__).parents[1]
PLAYED = TESTS / "integration" / "scenarios"

# The families and how many rows each has: merges, arrivals, concurrency, findings on other hubs, negatives, unmerges,
# publishing, source events, waves of merges, order, time.
FAMILIES: Final = {"m": 20, "a": 25, "c": 8, "g": 8, "n": 3, "u": 4, "p": 2, "x": 2, "w": 1, "r": 1, "t": 1}
SCENARIOS: Final = {f"{family}{number}" for family, count in FAMILIES.items() for number in range(1, count + 1)}


def scenario_of(name: str) -> str | None:
    """Read the id from the name of a test."""
    found = re.match(r"test_([a-z])0*(\d+)_", name)
    return "".join(found.groups()) if found else None


def names_in(folder: Path) -> Iterator[str]:
    """List the test functions below a folder."""
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


def test_every_scenario_has_its_test() -> None:
    assert sorted(SCENARIOS - {scenario_of(name) for name in names_in(TESTS)}) == []


def test_every_test_among_the_scenarios_is_named_by_one() -> None:
    assert [name for name in names_in(PLAYED) if scenario_of(name) not in SCENARIOS] == []


def test_the_id_of_a_scenario_is_read_with_and_without_a_nought() -> None:
    assert [scenario_of(name) for name in ("test_m01_a", "test_a10_b", "test_g3_c", "test_any_thing")] == [
        "m1",
        "a10",
        "g3",
        None,
    ]
