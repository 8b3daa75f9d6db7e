"""What a search shows of each record that it found: its name, what it is, why it was found, in which systems. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.views.systems import SystemShown, system_shown
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.entities.model import EntityType
from mdm.sources.model import SourceKey
from mdm.stewardship.found import Hit, Why

# Before what was found; where an attribute has a title, that is said in its place.
_LABELS: Final[Mapping[str, str]] = {
    "golden_id": N_("Its own number"),
    "source_key": N_("Key"),
    "number": N_("Number"),
    "name": N_("Name"),
    "beginning": N_("Begins so"),
    "similar_name": N_("Similar name"),
    "words": N_("Words"),
}
_BY_TITLE: Final = frozenset({"number", "beginning", "words", "name"})
REASONS_SHOWN: Final = 2  # chosen: one line of a list


@dataclass(frozen=True, slots=True)
class ReasonShown:
    """Why a record was found: a label, the value, and the systems that say so."""

    label: str
    value: str
    systems: tuple[SystemShown, ...]
    is_gone: bool


@dataclass(frozen=True, slots=True)
class HitShown:
    """A record that was found; `forwarded_from` is the older number that leads here."""

    golden_id: str
    url: str
    name: str
    kind: str
    state: str
    systems: tuple[SystemShown, ...]
    reasons: tuple[ReasonShown, ...]
    forwarded_from: str


def hit_shown(hit: Hit, declared: Mapping[str, EntityType], titles: Mapping[str, str], words: Words) -> HitShown:
    """Show one record that was found."""
    entity_type = declared[hit.entity_type]
    return HitShown(
        golden_id=hit.golden_id,
        url=f"/records/{hit.golden_id}",
        name=hit.name,
        kind=words.word("entity", hit.entity_type),
        state=hit.state,
        systems=tuple(system_shown(source, titles) for source in hit.sources),
        reasons=tuple(_reason(why, entity_type, titles, words) for why in _telling(hit)[:REASONS_SHOWN]),
        forwarded_from=hit.forwarded_from or "",
    )


def _telling(hit: Hit) -> Sequence[Why]:
    """Leave out what only repeats the name of the record, where something else says why it was found."""
    return [why for why in hit.reasons if why.shown != hit.name] or hit.reasons


def _reason(why: Why, entity_type: EntityType, titles: Mapping[str, str], words: Words) -> ReasonShown:
    attribute = entity_type.attributes.get(why.attribute)
    label = attribute.title if attribute and why.by in _BY_TITLE else words.translate(_LABELS[why.by])
    sources = dict.fromkeys(SourceKey.parse(key).instance for key in why.source_keys)
    systems = tuple(system_shown(source, titles) for source in sources)
    is_key = not why.attribute and why.shown in why.source_keys
    label = words.translate(_LABELS["source_key"]) if is_key else label
    value = SourceKey.parse(why.shown).native_id if is_key else why.shown
    return ReasonShown(label, value, systems, why.is_gone)
