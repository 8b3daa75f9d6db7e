"""Why two records were compared or not: which blocking rules each stands under, and what would have made them meet.

It takes the keys from `block` itself, so that it says what blocking did; the texts of the parts are shown beside them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from matching.key_parts import KEYS_PER_PART_MAX, part_hashes
from matching.keys import blocking_keys
from matching.model import KeyPart, MatchModel
from matching.records import Forms
from matching.term_frequency import informative, token_rarity
from matching.transforms import TRANSFORMS, key_hashes

# met: they share a key of the rule · differ: both have keys, none in common · missing: one of them has no key at all
# stopped: they agree in all parts, yet that is too common to tell anything · apart: in all parts, but not in the parent
Meeting = Literal["met", "differ", "missing", "stopped", "apart"]


@dataclass(frozen=True, slots=True)
class PartSeen:
    """Hold the key texts that two records give to one part of a rule: they agree where a text stands on both sides."""

    feature: str
    transform: str
    left: tuple[str, ...]
    right: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        """Tell whether any text stands on both sides."""
        return not frozenset(self.left).isdisjoint(self.right)


@dataclass(frozen=True, slots=True)
class RuleSeen:
    """Hold how two records stand to one blocking rule; `keys` are those they share."""

    rule: str
    meeting: Meeting
    keys: tuple[int, ...]
    parts: tuple[PartSeen, ...]

    @property
    def lacking(self) -> tuple[PartSeen, ...]:
        """Return the parts that keep the two from meeting under this rule."""
        return tuple(part for part in self.parts if not part.is_shared)


@dataclass(frozen=True, slots=True)
class Meetings:
    """Hold how two records stand to all blocking rules.

    is_apart  they are matched within a parent each, and the two are not known to have the same
    """

    rules: tuple[RuleSeen, ...]
    is_apart: bool

    @property
    def keys(self) -> tuple[int, ...]:
        """Return the blocking keys that both records stand under."""
        return tuple(sorted({key for rule in self.rules for key in rule.keys}))


def meet(forms: Forms, left: int, right: int, model: MatchModel) -> Meetings:
    """Say how two records (positions in `forms`) stand to each blocking rule."""
    found = blocking_keys(forms, model)
    rows = list(zip(found.records.tolist(), found.rules.tolist(), found.keys.tolist(), strict=True))
    ours, theirs = ({key: rule for record, rule, key in rows if record == side} for side in (left, right))
    known = informative(forms, model.population)
    contexts = forms.contexts
    is_apart = contexts is not None and (contexts[left] != contexts[right] or not contexts[left])
    rules = []
    for place, rule in enumerate(model.blocking):
        keys = tuple(sorted(key for key, of in ours.items() if of == place and key in theirs))
        parts = tuple(_part(known, part, left, right, model) for part in rule.parts)
        rules.append(RuleSeen(rule.name, _meeting(keys, parts, is_apart=is_apart), keys, parts))
    return Meetings(tuple(rules), is_apart)


def _meeting(keys: tuple[int, ...], parts: tuple[PartSeen, ...], *, is_apart: bool) -> Meeting:
    if keys:
        return "met"
    if not all(part.left and part.right for part in parts):
        return "missing"
    if not all(part.is_shared for part in parts):
        return "differ"
    return "apart" if is_apart else "stopped"


def _part(forms: Forms, part: KeyPart, left: int, right: int, model: MatchModel) -> PartSeen:
    name, _, size = part.transform.partition(":")
    transform, rarity = TRANSFORMS[name].texts, token_rarity(model.population, part.feature)

    def texts(record: int) -> tuple[str, ...]:
        values = forms.features[part.feature].of(record)
        given = sorted({text for value in values for text in transform(value, int(size or 0), rarity)})
        # Blocking keeps the smallest hashes of a part that has too many; the same ones are shown.
        kept = np.argsort(part_hashes(part, key_hashes(given)))[:KEYS_PER_PART_MAX]
        return tuple(sorted(given[place] for place in kept))

    return PartSeen(part.feature, part.transform, texts(left), texts(right))
