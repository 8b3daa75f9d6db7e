"""What the page of one golden record shows, from what the hub says of it: systems, drawings, stops in time. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.console.drawings.described import Described
from api.console.drawings.graph import Graph as Net
from api.console.drawings.graph import Link as NetLink
from api.console.drawings.graph import Record as NetRecord
from api.console.drawings.graph import graph
from api.console.drawings.ring import Ring, ring
from api.console.drawings.timeline import Happening, Timeline, timeline
from api.console.drawings.tree import Branch, Tree, tree
from api.console.views.sources import mark_of, tone_of
from api.console.views.text import plain
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.stewardship.card_model import probability
from mdm.stewardship.graph import Graph
from mdm.stewardship.past import Carrier
from mdm.stewardship.record_model import Field, Happened, History, Kin, MemberSeen, RecordSeen

_BY_MATCHING: Final = frozenset({"ingest", "deferred", "decay", "source_event", "rules"})
_KIND_TONES: Final[Mapping[str, str]] = {"override": "c6", "undo": "c8", "unmerge": "c3", "split": "c3"}


@dataclass(frozen=True, slots=True)
class SystemView:
    """The records of one source instance."""

    source: str
    title: str
    mark: str
    tone: str
    members: tuple[MemberSeen, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """An instant at which something changed, as the slider stops there."""

    version: int
    words: str


@dataclass(frozen=True, slots=True)
class DrawnGraph:
    """The records and what links them, drawn and told."""

    net: Net
    told: Described


@dataclass(frozen=True, slots=True)
class DrawnTime:
    """The events on an axis, drawn and told."""

    line: Timeline
    told: Described


def systems_of(members: Sequence[MemberSeen]) -> tuple[SystemView, ...]:
    """Group members by source instance, by title."""
    groups: dict[str, list[MemberSeen]] = {}
    for one in members:
        groups.setdefault(one.source, []).append(one)
    found = [
        SystemView(source, each[0].title, mark_of(source), tone_of(source), tuple(each))
        for source, each in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.title.casefold(), one.source)))


def has_something(field: Field) -> bool:
    """Tell whether there is anything to show of an attribute: a value, a loser, or a steward's blank."""
    return bool(field.told.values or field.losers or field.override or field.elsewhen)


def completeness_ring(seen: RecordSeen) -> Ring:
    """Draw how much of what counts is filled."""
    return ring(seen.completeness, review_share=0.0, match_share=1.1)


def draw_graph(found: Graph, said: Words) -> DrawnGraph:
    """Draw the members and what links them: matches, and what people decided."""
    titles = {node.source_key: node for node in found.nodes}
    records = [
        NetRecord(node.source_key, mark_of(node.source), tone_of(node.source), node.source_key) for node in found.nodes
    ]
    links = {
        frozenset((edge.left, edge.right)): NetLink(edge.left, edge.right, probability(edge.bits), edge.is_weak)
        for edge in found.edges
        if not edge.is_vetoed
    }
    for one in found.decisions:
        pair = frozenset((one.left_key, one.right_key))
        if one.joins and len(pair & titles.keys()) == 2:
            links[pair] = NetLink(one.left_key, one.right_key, 1.0)
    drawn = list(links.values())
    rows = tuple((link.left, link.right, said.percent(link.share)) for link in sorted(drawn, key=lambda one: one.share))
    return DrawnGraph(
        graph(records, drawn),
        Described(
            said.translate(N_("How the records connect")),
            said.translate(N_("Each line joins two records that are likely the same; the figures follow as a table.")),
            tuple(map(said.translate, (N_("Record"), N_("Record"), N_("Likely the same")))),
            rows[:60],
        ),
    )


def draw_time(history: History, as_of: datetime | None, now: datetime, said: Words) -> DrawnTime:
    """Draw what happened on an axis of time."""
    happenings = [
        Happening(
            one.event.recorded_at,
            _KIND_TONES.get(one.event.kind, "c1" if one.event.kind not in _BY_MATCHING else "c4"),
            said.word("cause", one.event.kind),
            one.event.id,
        )
        for one in history.happened
    ]
    rows = tuple((said.moment(one.at), one.label) for one in reversed(happenings))
    return DrawnTime(
        timeline(happenings, now=now, as_of=as_of),
        Described(
            said.translate(N_("What happened when")),
            said.translate(N_("Each dot is a change of this record; the list below tells the same in words.")),
            tuple(map(said.translate, (N_("When"), N_("What")))),
            rows[:60],
        ),
    )


def draw_family(family: Sequence[Kin], here: str, attribute_words: Callable[[str], str]) -> Tree:
    """Draw a hierarchy."""
    return tree(
        [
            Branch(kin.named.golden_id, kin.parent_id, plain(kin.named.name or kin.named.golden_id, 120), remark)
            for kin in family
            for remark in [attribute_words(kin.by) if kin.by and kin.by not in {"parent", "parent_of"} else ""]
        ],
        here=here,
    )


def stops_of(history: History, golden_versions: int, said: Words) -> tuple[Stop, ...]:
    """List where the slider stops, oldest first: every version, the last being now."""
    by_version = {one.version: one for one in history.happened if one.version is not None}
    return tuple(
        Stop(
            number,
            said.translate(N_("Now"))
            if number == golden_versions
            else f"{said.moment(one.event.recorded_at)} · {said.word('cause', one.event.kind)}",
        )
        for number, one in sorted(by_version.items())
        if number <= golden_versions
    )


def instant_of(history: History, version: int) -> datetime | None:
    """Find when a version began; None when nothing is known of it."""
    return next((one.event.recorded_at for one in history.happened if one.version == version), None)


def steps_together(history: History) -> tuple[Happened, ...]:
    """List the events that brought records together or let them go, oldest first."""
    return tuple(one for one in reversed(history.happened) if any(each.record_keys for each in one.chapters))


def share_of(carrier: Carrier) -> float | None:
    """Give the share by which a link matches; None for a decision."""
    return probability(carrier.bits) if carrier.bits is not None else None
