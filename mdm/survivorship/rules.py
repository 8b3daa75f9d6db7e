"""Survivorship: the golden values of a set of members, as a pure function of members, rules, overrides and the instant.

Same inputs give the same bytes: candidates are sorted by source key before anything else, every contest ends in a
total order (strategies of the rule, then source time, source rank, source key), and nothing reads a clock, a golden id
or the order of arrival. A rule's strategy and its fallbacks rank one after the other: a fallback decides among those of
whom the strategies before it said nothing or the same. The values that lost are computed from the members, not stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from matching.model import FeatureSpec
from matching.standardise import FORMS
from mdm.entities.model import Attribute, EntityType
from mdm.survivorship.model import (
    Contribution,
    GoldenValues,
    Lineage,
    Losing,
    Override,
    OverrideStanding,
    canonical_bytes,
    masked_hash,
)
from mdm.survivorship.strategies import (
    IMPLIED_FALLBACK,
    REASONS,
    STRATEGIES,
    Contest,
    fold,
    meets,
    time_us,
    trusted,
    value_time,
)
from mdm.survivorship.trust import first_overtaking

_SPELT_IN_MANY_WAYS: Final = frozenset({"tax_id", "phone", "email", "url"})
"""Semantic types whose compare form keeps all that tells two values apart; that of a company's name does not."""


def survive(
    entity_type: EntityType, contributions: Sequence[Contribution], overrides: Sequence[Override], at: datetime
) -> GoldenValues:
    """Work out what a golden record shows at an instant.

    contributions  all members, in any order, never only those that changed; their source keys are distinct
    overrides      those anchored on members; which of them hold is worked out here
    """
    if not contributions:
        return GoldenValues({}, {}, None, at)
    contests = _Contests(entity_type, speaking(contributions), at)
    fared = standings(entity_type, contributions, overrides, at)
    ruling = {s.override.attribute: s.override for s in fared if s.state in ("in_force", "masks_newer")}
    values: dict[str, Any] = {}
    lineage: dict[str, Lineage] = {}
    for name, attribute in entity_type.attributes.items():
        found: tuple[Any, Lineage] | None
        if name in ruling:
            found = _overridden(ruling[name], contests)
        elif name not in contests.told or (result := contests.of(name)).winner is None:
            continue
        elif attribute.survivorship.strategy == "union":
            found = _united(attribute, result)
        else:
            found = _won(name, result)
        if found is not None:
            lineage[name] = found[1]
            values.update({name: found[0]} if found[0] is not None else {})
    ends = (override.until for override in ruling.values() if override.term == "until" and override.until)
    return GoldenValues(values, lineage, min((*ends, *contests.changes()), default=None), at, fared)


def losers(
    entity_type: EntityType, contributions: Sequence[Contribution], golden: GoldenValues
) -> dict[str, list[Losing]]:
    """List by attribute the values that members hold and the golden record does not show, and why, best first."""
    contests = _Contests(entity_type, speaking(contributions), golden.at)
    lost: dict[str, list[Losing]] = {}
    for name, attribute in entity_type.attributes.items():
        override = golden.lineage[name].override if name in golden.lineage else None
        shown = golden.values.get(name)
        result = contests.of(name)
        is_union = attribute.survivorship.strategy == "union" and override is None
        for candidate in (*result.ranked, *result.excluded):
            value = candidate.values.get(name)
            why = f"masked by the override of {override.author}" if override else result.why(candidate)
            if is_union and value is not None:
                value = [element for element in _elements(value) if element not in (shown or ())] or None
            if value is not None and value != shown:
                lost.setdefault(name, []).append(Losing(value, candidate.record_key, why))
    return lost


def standings(
    entity_type: EntityType, contributions: Sequence[Contribution], overrides: Sequence[Override], at: datetime
) -> tuple[OverrideStanding, ...]:
    """Say of every override how it fares; of several that hold for one attribute the latest rules."""
    members = {member.record_key: member for member in contributions}
    ordered = sorted(overrides, key=_seniority)
    held = {id(one): _held(entity_type, one, members.get(one.record_key)) for one in ordered}
    holding = [one for one in ordered if _holds(one, held[id(one)], at)]
    ruling = {one.attribute: one for one in holding}
    found = []
    for override in ordered:
        if override not in holding:
            found.append(OverrideStanding(override, "ended"))
        elif ruling[override.attribute] is not override:
            found.append(OverrideStanding(override, "superseded"))
        else:
            has_changed = override.masked is not None and held[id(override)] != override.masked
            heard = sorted(one.record_key for one in speaking(contributions))
            newer = tuple(
                key for key in heard if _says_otherwise_since(override, members[key], has_changed=has_changed)
            )
            found.append(OverrideStanding(override, "masks_newer" if newer else "in_force", newer))
    return tuple(found)


def fingerprint(entity_type: EntityType, attribute: str, record_key: str, values: Mapping[str, Any]) -> str | None:
    """Fingerprint what a record holds where an override of an attribute masks it, None for nothing.

    Of attributes that move together it is that of them all: an override on one of them lasts as long as all others do.
    """
    names = entity_type.moving_with(attribute)
    if len(names) == 1:
        return masked_hash(record_key, attribute, values.get(attribute))
    held = {name: values[name] for name in names if name in values and not entity_type.attributes[name].reference}
    return masked_hash(record_key, entity_type.attributes[attribute].group or "", held or None)


def speaking(contributions: Sequence[Contribution]) -> Sequence[Contribution]:
    """Leave out members that their sources gave up, unless no other is left; overrides on them still count."""
    return [one for one in contributions if not one.is_ended] or contributions


@dataclass(frozen=True, slots=True)
class _Result:
    """How a contest ended: those in it, best first, with their scores; then those for whom no strategy spoke."""

    contest: Contest
    strategies: tuple[str, ...]
    ranked: tuple[Contribution, ...]
    excluded: tuple[Contribution, ...]
    scores: Mapping[str, tuple[Any, ...]]

    @property
    def winner(self) -> Contribution | None:
        return self.ranked[0] if self.ranked else None

    def rule_of(self, candidate: Contribution) -> str:
        """Name the first strategy that spoke for a candidate."""
        scores = self.scores[candidate.record_key]
        return next(name for name, score in zip(self.strategies, scores, strict=True) if score is not None)

    def why(self, loser: Contribution) -> str:
        """Say by what a candidate first falls behind the winner."""
        if self.winner is None or not _is_spoken_for(self.scores[loser.record_key]):
            return "the rule leaves its record out"
        if "union" in self.strategies:
            return REASONS["union"]
        scores = zip(self.strategies, self.scores[loser.record_key], self.scores[self.winner.record_key], strict=True)
        for strategy, ours, theirs in scores:
            if ours != theirs:
                return REASONS[strategy]
        if time_us(self.contest, loser) != time_us(self.contest, self.winner):
            return "as good by the rule, but older in its source"
        if loser.source_rank != self.winner.source_rank:
            return "as good by the rule and as recent, but its source ranks lower"
        return "as good in all, but its source key sorts later"

    def changes(self) -> Iterator[datetime]:
        """Give, for every rival that decay alone lets overtake the winner, the first instant at which it does."""
        if self.winner is None or "trust" not in self.strategies:
            return
        place = self.strategies.index("trust")
        first = self.scores[self.winner.record_key]
        if first[place] is None:
            return
        standing = _standing(self.contest, self.winner, first[place + 1 :])
        for rival in self.ranked[1:]:
            scores = self.scores[rival.record_key]
            if scores[:place] != first[:place] or scores[place] is None:
                return
            rival_standing = _standing(self.contest, rival, scores[place + 1 :])
            is_key_first = rival.record_key < self.winner.record_key
            change = first_overtaking(
                trusted(self.contest, self.winner),
                trusted(self.contest, rival),
                after=self.contest.at,
                wins_ties=rival_standing > standing or (rival_standing == standing and is_key_first),
            )
            if change is not None:
                yield change


class _Contests:
    """The contests of one golden record, each held once and only when asked for.

    told  the attributes that any member says anything of: a few of many
    """

    def __init__(self, entity_type: EntityType, contributions: Sequence[Contribution], at: datetime) -> None:
        self.entity_type = entity_type
        self.members = tuple(sorted(contributions, key=lambda member: member.record_key))
        self.at = at
        self.told = frozenset().union(*[member.values for member in self.members])
        self._result_by_leader: dict[str, _Result | None] = {}
        keys = {member.record_key for member in self.members}
        assert len(keys) == len(self.members), "a source record contributes once"

    def of(self, name: str) -> _Result:
        """Hold the contest for an attribute, or for the group that it moves with."""
        attributes = self.entity_type.moving_with(name)
        result = self._result_by_leader.get(attributes[0])
        if result is None:
            self._result_by_leader[attributes[0]] = None
            result = self._result_by_leader[attributes[0]] = self._hold(attributes)
        return result

    def changes(self) -> Iterator[datetime]:
        """Give the instants at which decay changes a winner of the contests held so far."""
        for result in self._result_by_leader.values():
            if result is not None:
                yield from result.changes()

    def _winner_of(self, name: str) -> Contribution | None:
        """Find who won another attribute; in a circle of attributes that follow each other nobody does."""
        leader = self.entity_type.moving_with(name)[0]
        is_being_held = self._result_by_leader.get(leader, ...) is None
        return None if is_being_held else self.of(name).winner

    def _hold(self, attributes: tuple[str, ...]) -> _Result:
        candidates = tuple([c for c in self.members if not c.values.keys().isdisjoint(attributes)])
        rule = self.entity_type.attributes[attributes[0]].survivorship
        contest = Contest(self.entity_type, attributes, rule, candidates, self.at, self._winner_of)
        if not candidates:
            return _Result(contest, (), (), (), {})
        implied = IMPLIED_FALLBACK.get(rule.strategy)
        strategies = (rule.strategy, *(rule.fallback or ((implied,) if implied else ())))
        columns = [STRATEGIES[strategy](contest) for strategy in strategies]
        if condition := rule.options.get("when"):
            fits = [meets(condition, candidate.values) for candidate in candidates]
            bound = (
                1 if rule.fallback else len(columns)
            )  # only a declared fallback may choose among those who do not fit
            for column in columns[:bound]:
                column[:] = [score if fit else None for score, fit in zip(column, fits, strict=True)]
        scores = {c.record_key: score for c, score in zip(candidates, zip(*columns, strict=True), strict=True)}
        ranked: list[Contribution] = []
        excluded: list[Contribution] = []
        for candidate in candidates:
            (ranked if _is_spoken_for(scores[candidate.record_key]) else excluded).append(candidate)
        if len(ranked) > 1:
            ranked.sort(key=lambda c: _standing(contest, c, scores[c.record_key]), reverse=True)
        return _Result(contest, strategies, tuple(ranked), tuple(excluded), scores)


def _standing(contest: Contest, candidate: Contribution, scores: Sequence[Any]) -> tuple[Any, ...]:
    """Give what orders candidates, the greater the better; the sort is stable, so source keys settle what is equal."""
    spoken = [(score is not None, 0 if score is None else score) for score in scores]
    return (*spoken, time_us(contest, candidate), -candidate.source_rank)


def _is_spoken_for(scores: tuple[Any, ...]) -> bool:
    return scores.count(None) < len(scores)


def _won(name: str, result: _Result) -> tuple[Any, Lineage] | None:
    """Give the value of the winner; where it has none, its group shows none rather than another record's."""
    winner = result.winner
    if winner is None or name not in winner.values:
        return None
    value = winner.values[name]
    rivals = (*result.ranked[1:], *result.excluded)
    agreeing = tuple(sorted([rival.record_key for rival in rivals if rival.values.get(name) == value]))
    return value, Lineage(winner.record_key, winner.record_id, result.rule_of(winner), agreeing)


def _united(attribute: Attribute, result: _Result) -> tuple[Any, Lineage] | None:
    """Unite the elements of all records in the contest; of two forms of one element the better record's is shown."""
    features = result.contest.entity_type.model.features
    spec = next((one for one in features if attribute.name in one.attributes), None)
    spec = spec if attribute.semantic_type in _SPELT_IN_MANY_WAYS else None
    shown: dict[Any, Any] = {}
    givers: dict[Any, list[str]] = {}
    for record in result.ranked:
        for element in _elements(record.values[attribute.name]):
            identity = _identity(attribute, element, spec, record.values)
            shown.setdefault(identity, element)
            keys = givers.setdefault(identity, [])
            if record.record_key not in keys:
                keys.append(record.record_key)
    if not shown or result.winner is None:
        return None
    elements = tuple(tuple(keys) for keys in givers.values())
    return list(shown.values()), Lineage(result.winner.record_key, result.winner.record_id, "union", elements=elements)


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _identity(attribute: Attribute, element: Any, spec: FeatureSpec | None, values: Mapping[str, Any]) -> Any:
    """Tell which elements are the same one: by the declared key, by the compare form, or else as a whole."""
    key = attribute.element_key
    if key is not None and isinstance(element, Mapping) and key in element:
        return fold(element[key])
    if spec is not None and isinstance(element, str):
        country = next((str(values[name]) for name in spec.country_from if values.get(name)), "")
        return _compare_form(spec.form, element, country) or fold(element)
    return fold(element)


@lru_cache(maxsize=65_536)
def _compare_form(form: str, value: str, country: str) -> tuple[str, ...]:
    return FORMS[form]([value], [country])[0]


def _overridden(override: Override, contests: _Contests) -> tuple[Any, Lineage]:
    anchor = next((member.record_id for member in contests.members if member.record_key == override.record_key), "")
    agreeing = tuple(m.record_key for m in contests.members if m.values.get(override.attribute, ...) == override.value)
    return override.value, Lineage(override.record_key, anchor, "override", agreeing, override=override)


def _seniority(override: Override) -> tuple[Any, ...]:
    """Order overrides of one attribute, the one that rules last; all they say stands in it, so that no tie is left."""
    until = override.until.isoformat() if override.until else ""
    said = [override.record_key, override.value, override.term, until, override.author, override.reason]
    return (override.attribute, override.recorded_at, override.override_id, canonical_bytes(said))


def _holds(override: Override, held: str | None, at: datetime) -> bool:
    if override.term == "until":
        return override.until is not None and at < override.until
    return override.term != "until_source_changes" or override.masked == held


def _held(entity_type: EntityType, override: Override, anchor: Contribution | None) -> str | None:
    """Fingerprint what the anchor record holds now; a record that is gone holds nothing."""
    if anchor is None or override.attribute not in entity_type.attributes:
        return None
    return fingerprint(entity_type, override.attribute, override.record_key, anchor.values)


def _says_otherwise_since(override: Override, member: Contribution, *, has_changed: bool) -> bool:
    """Tell whether a member has said something else than the override after it was made.

    has_changed  the anchor no longer holds what the override masked
    """
    value = member.values.get(override.attribute)
    if value is None or value == override.value:
        return False
    said = value_time(member, (override.attribute,))
    return (said is not None and said > override.recorded_at) or (
        has_changed and member.record_key == override.record_key
    )
