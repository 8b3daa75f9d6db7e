"""What the golden record would show after a merge, with a steward's choices in place of what the rules choose: pure.

The values are worked out by the functions that the merge itself uses, from the same members, overrides and rules; where
the merge would bring in more than the two golden records, as a record that only the two together match, it shows more
than this does. `dealing.rehearse_card` does the merge itself and takes it back.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mdm.entities.model import EntityType
from mdm.errors import InputInvalid, Refused
from mdm.ids import GoldenId
from mdm.publishing.model import Target
from mdm.sources.model import SourceRecord
from mdm.stewardship.card_cells import Known, Values, shown
from mdm.stewardship.card_consequences import ChoiceFault, RecordEffect, SystemEffect, TargetEffect
from mdm.stewardship.card_model import KEYS_MAX, After, Choice, Pick
from mdm.stewardship.overrides import newly_broken, overridden_with, read_overriding
from mdm.survivorship.model import Contribution, GoldenValues, GoldenVersion, Override
from mdm.survivorship.rules import survive


@dataclass(frozen=True, slots=True)
class Pool:
    """What survivorship works from: the members of both golden records as one, and by whom it is asked.

    anchor  the member that overrides of a merge stand on: the oldest
    """

    entity_type: EntityType
    contributions: tuple[Contribution, ...]
    overrides: tuple[Override, ...]
    anchor: SourceRecord
    at: datetime
    who: str

    def shows(self, values: Values = {}) -> GoldenValues:  # noqa: B006 -- never written to
        """Work out what the golden record shows, with these values in place of what the rules choose."""
        key = str(self.anchor.key)
        ending = set(values)
        standing = [one for one in self.overrides if one.record_key != key or one.attribute not in ending]
        made = [
            Override(
                attribute=name,
                value=value,
                term="for_ever",
                author=self.who,
                reason="",
                record_key=key,
                recorded_at=self.at,
            )
            for name, value in values.items()
        ]
        return survive(self.entity_type, self.contributions, [*standing, *made], self.at)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the merged golden record shows, what of it was chosen, and which choices cannot be taken.

    values  what `Merge.values` has to hold for it
    """

    shows: GoldenValues
    values: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[ChoiceFault, ...] = ()


def outcome_of(pool: Pool, sides: Sequence[GoldenVersion], choices: Mapping[str, Choice]) -> Outcome:
    """Work out the merged golden record with a steward's choices.

    A choice that the rules make already is none. One that cannot be read, or that breaks a rule of the entity type, is
    told as a fault and left out.
    """
    plain = pool.shows()
    values: dict[str, Any] = {}
    faults: list[ChoiceFault] = []
    for attribute, choice in choices.items():
        try:
            asked = _asked(pool.entity_type, attribute, choice, sides, {**plain.values, **values})
            read = {name: read_overriding(pool.entity_type, name, value) for name, value in asked.items()}
            if any(read[name] != plain.values.get(name) for name in read):
                after = pool.shows(values | read)
                for side in sides:
                    newly_broken(pool.entity_type, side.values, after.values)
                values |= read
        except Refused as error:
            faults.append(ChoiceFault(attribute, error.code, error.message, error.remedy))
    return Outcome(pool.shows(values) if values else plain, values, tuple(faults))


def results_of(
    entity_type: EntityType, outcome: Outcome, sides: Sequence[GoldenVersion], known: Known
) -> dict[str, After]:
    """Tell for each attribute what the merged golden record shows."""
    results = {}
    for name, line in outcome.shows.lineage.items():
        value = outcome.shows.values.get(name)
        values, left_out = shown(entity_type, name, value, known, lambda _: ())
        results[name] = After(
            values,
            left_out,
            known.from_lineage(line.to_json()),
            tuple(side.values.get(name) != value for side in sides),
            name in outcome.values,
        )
    return results


def results_now(entity_type: EntityType, version: GoldenVersion, known: Known) -> dict[str, After]:
    """Tell for each attribute what a golden record shows now."""
    results = {}
    for name, line in version.lineage.items():
        values, left_out = shown(entity_type, name, version.values.get(name), known, lambda _: ())
        results[name] = After(values, left_out, known.from_lineage(line), (False,))
    return results


def effects_of(
    outcome: Outcome, sides: Sequence[GoldenVersion], members: Sequence[SourceRecord], ids: tuple[GoldenId, GoldenId]
) -> tuple[SystemEffect, ...]:
    """Tell system by system what would be another about its records; `ids` are the survivor and the absorbed one."""
    survivor_id, absorbed_id = ids
    changes = {side.golden_id: _changes(side.values, outcome.shows.values) for side in sides}
    by_source: dict[str, list[RecordEffect]] = {}
    for member in members:
        if member.golden_id in changes:
            new_id = survivor_id if member.golden_id == absorbed_id else None
            effect = RecordEffect(str(member.key), member.golden_id, new_id, changes[member.golden_id])
            by_source.setdefault(member.key.instance, []).append(effect)
    return tuple(
        SystemEffect(
            source,
            source,
            tuple(effects[:KEYS_MAX]),
            max(0, len(effects) - KEYS_MAX),
            tuple(dict.fromkeys(name for effect in effects for name in effect.changes)),
        )
        for source, effects in sorted(by_source.items())
    )


def targets_told(targets: Sequence[Target], entity_type: str, moving: AbstractSet[str]) -> tuple[TargetEffect, ...]:
    """Tell which targets hear of the golden records, and whether of the children that would move too."""
    return tuple(
        TargetEffect(one.id, one.kind, not moving.isdisjoint(one.entity_types))
        for one in targets
        if entity_type in one.entity_types
    )


def _changes(before: Values, after: Values) -> tuple[str, ...]:
    return tuple(name for name in {**after, **before} if before.get(name) != after.get(name))


def _asked(
    entity_type: EntityType,
    attribute: str,
    choice: Choice,
    sides: Sequence[GoldenVersion],
    standing: Values,
) -> dict[str, Any]:
    """Give the values that a choice asks for: those of a group together, so that no address is stitched from two."""
    together = overridden_with(entity_type, attribute) if attribute in entity_type.attributes else ()
    if isinstance(choice, Pick):
        if not 0 <= choice.column < len(sides):
            raise InputInvalid(
                f"there is no column {choice.column}", remedy=f"pick one of 0 to {len(sides) - 1}", field=attribute
            )
        side = sides[choice.column]
        return {name: side.values.get(name) for name in together or (attribute,)}
    others = {name: standing.get(name) for name in together if name != attribute}
    return {**others, attribute: choice.value}
