"""Which tests run again on the oldest PostgreSQL, and whether they call every store there.

All tests run on the newest PostgreSQL. What may differ on the oldest is the database: how it reads a statement, plans
it, locks, numbers transactions, fires triggers, migrates. So there every test of a room with SQL runs again, and all
cases of those about the database itself. What only repeats the same statements is left out:

- the edges (console, command line, HTTP, browser), whose statements are those of the rooms they call, but for the few
  that alone call some store;
- scenarios, random sequences and whole errands, but for one errand, which repeat statements in other orders;
- all but the first case of a test with parameters, whose other cases send the same statements with other values.

That nothing is lost by this is measured in the run itself: `StoreCalls` counts the functions of all stores, and a
function that no test called on the oldest PostgreSQL fails the run.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
LEFT_OUT: Final = (
    *("tests/acceptance", "tests/browser", "tests/integration/api", "tests/integration/cli"),
    *("tests/integration/console", "tests/integration/demo", "tests/integration/scenarios", "tests/properties"),
    *("tests/integration/pipeline/test_law_on_demo_firm.py", "tests/integration/source_events/test_any_order.py"),
    *("tests/integration/stewardship/test_card_demo.py", "tests/integration/stewardship/test_crowd.py"),
    *("tests/integration/stewardship/test_many_merges.py", "tests/integration/stewardship/test_random_sequences.py"),
)
# Tests at an edge that are the only ones to call some store.
KEPT: Final = (
    *("tests/integration/api/test_api_keys.py", "tests/integration/api/test_audit.py"),
    *("tests/integration/api/test_match.py", "tests/integration/api/test_rates.py"),
    *("tests/integration/api/test_records.py", "tests/integration/api/test_search.py"),
    *("tests/integration/api/test_source_events.py", "tests/integration/cli/test_targets.py"),
    "tests/integration/console/pages/test_home_and_find.py",
)
# About the database itself: migrations and transactions, triggers and seals, locks, snapshots and the horizon.
ABOUT_THE_DATABASE: Final = (
    *("tests/integration/db", "tests/integration/history", "tests/integration/identity/test_as_of.py"),
    *("tests/integration/publishing/test_changes.py", "tests/integration/stewardship/test_interleavings.py"),
    *("tests/integration/scenarios/test_concurrency_scenarios.py", "tests/integration/test_stepper.py"),
)


def mark_for_oldest(tests: Iterable[pytest.Item]) -> None:
    """Mark what runs again on the oldest PostgreSQL, of those tests that need one; a test may ask for it by itself."""
    seen: set[tuple[str, str]] = set()
    for test in tests:
        if test.get_closest_marker("db") is None:
            continue
        path = test.path.relative_to(ROOT).as_posix()
        function = (path, getattr(test, "originalname", test.name))
        is_first = function not in seen
        seen.add(function)
        is_left_out = _is_in(path, LEFT_OUT) and not _is_in(path, KEPT)
        if _is_in(path, ABOUT_THE_DATABASE) or (is_first and not is_left_out):
            test.add_marker(pytest.mark.oldest)


def _is_in(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


class StoreCalls:
    """Counts which functions of the stores are called; made before anything imports them by name."""

    def __init__(self) -> None:
        """Watch every public function of every store from now on."""
        self.known: set[str] = set()
        self.called: set[str] = set()
        for module in _stores():
            for name, function in vars(module).items():
                if name.startswith("_") or not inspect.isfunction(function) or function.__module__ != module.__name__:
                    continue
                setattr(module, name, self._watched(f"{module.__name__}.{name}", function))

    @property
    def missed(self) -> list[str]:
        """Name the functions that nobody called."""
        return sorted(self.known - self.called)

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        self.known.add(name)

        @functools.wraps(function)
        def watched(*args: Any, **named: Any) -> Any:
            self.called.add(name)
            return function(*args, **named)

        return watched


def _stores() -> Iterator[ModuleType]:
    for path in sorted((ROOT / "mdm").rglob("*.py")):
        if path.stem == "store" or path.stem.endswith("_store") or path.stem == "hot_reads":
            yield importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
