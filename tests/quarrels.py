"""Flip-flops by the declared rule, worked out anew from the history of golden records, and what is frozen.

A value that comes back by what a source said is a return; three of them within a day, won by records of two systems
that still are one golden record, are a quarrel. A history of tests is shorter than a day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from mdm.hub import Hub
from tests.hubs import golden_by_key


@dataclass(frozen=True)
class Turn:
    """One version: when it was, whether a source made it, and by attribute its value and the record that won it."""

    at: datetime
    is_news: bool
    values: Mapping[str, Any]
    winners: Mapping[str, str]


@dataclass(frozen=True)
class Freeze:
    """An attribute that is frozen, since when, and the review that asks about it."""

    golden_id: str
    attribute: str
    at: datetime
    review: tuple[str, str]


def frozen_of(hub: Hub) -> dict[tuple[str, str], Freeze]:
    """Give what is frozen, by the golden record that has it now and the attribute."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT coalesce(g.forward_to, g.id) AS now, f.golden_id, f.attribute, f.recorded_at, r.kind, r.state"
                " FROM attribute_freeze f JOIN golden_record g ON g.id = f.golden_id"
                " JOIN review r ON r.id = f.review_id"
                " WHERE f.ended_at IS NULL"
            )
        ).all()
    return {
        (row.now, row.attribute): Freeze(row.golden_id, row.attribute, row.recorded_at, (row.kind, row.state))
        for row in rows
    }


def settled_of(hub: Hub) -> dict[tuple[str, str], datetime]:
    """Give since when a steward has settled an attribute of a golden record, the last time."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT coalesce(g.forward_to, g.id) AS now, f.attribute, max(f.ended_at) AS at FROM attribute_freeze f"
                " JOIN golden_record g ON g.id = f.golden_id WHERE f.ended_at IS NOT NULL GROUP BY 1, 2"
            )
        )
        return {(row.now, row.attribute): row.at for row in rows}


def quarrelled_over(hub: Hub, *, returns_min: int) -> set[tuple[str, str]]:
    """Give the golden records and attributes over which systems quarrel now."""
    members: defaultdict[str, set[str]] = defaultdict(set)
    for key, golden_id in golden_by_key(hub).items():
        members[golden_id].add(key)
    found = set()
    settled = settled_of(hub)
    for golden_id, history in histories_of(hub).items():
        for attribute in {name for one in history for name in one.values}:
            since = settled.get((golden_id, attribute))
            turns = [one for one in history if since is None or one.at > since]
            last = last_winners(turns, attribute)
            if returns(turns, attribute) >= returns_min and len(last) == 2 and set(last) <= members[golden_id]:
                found.add((golden_id, attribute))
    return found


def returns_until(hub: Hub, freeze: Freeze) -> int:
    """Count how often the value of an attribute had come back when it was frozen."""
    turns = [one for one in histories_of(hub)[freeze.golden_id] if one.at <= freeze.at]
    return returns(turns, freeze.attribute)


def returns(turns: Sequence[Turn], attribute: str) -> int:
    """Count the values that came back after another one stood in their place."""
    count = 0
    values: list[Any] = []
    for one in turns:
        value = one.values.get(attribute)
        if not values or values[-1] != value:
            count += one.is_news and value in values
            values.append(value)
    return count


def last_winners(turns: Sequence[Turn], attribute: str) -> list[str]:
    """Give the record that set the value last, and the last one of another system that set another one."""
    values: list[tuple[Any, str]] = []
    for one in turns:
        value, winner = one.values.get(attribute), one.winners.get(attribute, "")
        if not values or values[-1][0] != value:
            values.append((value, winner))
    won = [winner for _, winner in reversed(values) if winner]
    others = [one for one in won if one.partition("/")[0] != won[0].partition("/")[0]]
    return [won[0], *others[:1]] if won else []


def histories_of(hub: Hub) -> dict[str, list[Turn]]:
    """Give the versions of every golden record in their order."""
    found: defaultdict[str, list[Turn]] = defaultdict(list)
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT v.golden_id, v.recorded_from, v.values AS shown, v.lineage, e.kind FROM golden_version v"
                " JOIN identity_event e ON e.id = v.event_id ORDER BY v.golden_id, v.version"
            )
        )
        for row in rows:
            winners = {name: one.get("record_key", "") for name, one in row.lineage.items()}
            found[row.golden_id].append(Turn(row.recorded_from, row.kind == "ingest", row.shown, winners))
    return dict(found)
