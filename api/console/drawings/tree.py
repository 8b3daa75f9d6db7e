"""A hierarchy, parents above their children, as rows of a list with the lines that join them.

The text of a row is HTML beside the lines, so that long names wrap and everything is read out in order; only the lines
are drawn. A circle or a missing parent cannot happen in the hub, but here it is drawn and not run into.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Rail = Literal["pass", "tee", "end", "blank"]

ROWS_MAX: Final = 200  # chosen: two screens; more are counted
DEPTH_MAX: Final = 12  # chosen: deeper ones are drawn at this depth


@dataclass(frozen=True, slots=True)
class Branch:
    """Hold a record of the hierarchy: its key, the key of its parent ("" for a root), what it is called, a remark."""

    key: str
    parent: str
    label: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a row: the record, its depth from 0, the lines before it from left to right, whether it is the one shown.

    A line passes by to a row further down, or leads to this one: "tee" when siblings follow, "end" for the last.
    """

    branch: Branch
    depth: int
    rails: tuple[Rail, ...]
    is_here: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """Hold the rows of a hierarchy and how many of its records are not among them."""

    rows: tuple[Row, ...]
    left_out: int


def tree(branches: Sequence[Branch], *, here: str = "") -> Tree:
    """Lay out records below their parents, siblings in the order given; roots are those whose parent is not there."""
    keys = {branch.key for branch in branches}
    children: dict[str, list[Branch]] = defaultdict(list)
    for branch in branches:
        children[branch.parent if branch.parent in keys else ""].append(branch)
    rows: list[Row] = []
    seen: set[str] = set()
    # Roots first; what no root leads to is a circle, entered where it is met first.
    for root in (*children[""], *branches):
        _grow([(root, ())], children, rows, seen, here)
    return Tree(tuple(rows[:ROWS_MAX]), max(0, len(rows) - ROWS_MAX))


def _grow(
    pending: list[tuple[Branch, tuple[Rail, ...]]],
    children: dict[str, list[Branch]],
    rows: list[Row],
    seen: set[str],
    here: str,
) -> None:
    """Add the rows below what is pending, depth first."""
    while pending:
        branch, rails = pending.pop()
        if branch.key in seen:
            continue
        seen.add(branch.key)
        rows.append(Row(branch, len(rails), rails, branch.key == here))
        passing: tuple[Rail, ...] = tuple("pass" if rail in {"pass", "tee"} else "blank" for rail in rails)
        passing = passing[: DEPTH_MAX - 1]
        below = [child for child in children[branch.key] if child.key not in seen]
        for number, child in reversed(list(enumerate(below))):
            pending.append((child, (*passing, "end" if number == len(below) - 1 else "tee")))
