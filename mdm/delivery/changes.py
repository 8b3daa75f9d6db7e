"""What changes between two declarations of a target, place by place, as people read it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mdm.delivery.model import Stance, StandingState


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of a declaration, such as `records.customer.fields.name.owner`; None: it is not there."""

    place: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying a declaration did, or would do.

    differences     places that are not as they were; of a new target none
    queued          golden records that it was never told of, and is told of now
    new_types       entity types that it is told of from now on
    needs_backfill  whether its records have to be matched before it is told anything
    state           how the target stands then: one that was stopped or paused stays so
    after           how it stands once its records are matched, where it does not run then
    warnings        what may keep it from being told, which whoever runs the worker has to see to
    """

    target_id: str
    change: Literal["new", "changed", "unchanged"]
    differences: tuple[Difference, ...]
    queued: int
    new_types: tuple[str, ...]
    needs_backfill: bool
    state: StandingState
    after: Stance | None = None
    warnings: tuple[str, ...] = ()


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """List the places in which two declarations differ, in the order of their names; a list is one value."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    # A place that is empty on one side and filled on the other is told by what fills it.
    inner = {place[:depth] for place in (*old, *new) for depth in range(1, len(place))}
    return tuple(
        Difference(".".join(place), old.get(place), new.get(place))
        for place in sorted({*old, *new} - inner)
        if old.get(place) != new.get(place)
    )


def _leaves(content: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(content, Mapping) and content:
        for name, part in content.items():
            yield from _leaves(part, (*place, str(name)))
    else:
        yield place, content
