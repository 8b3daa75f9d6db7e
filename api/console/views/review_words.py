"""What the review page says in sentences: the question, the reason, warnings, what follows, what happened. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from babel.lists import format_list

from api.console.views.sentences import told
from api.console.views.sources import tone_of
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.decisions.review_model import Answer
from mdm.stewardship.card_consequences import Effects, Risk, SystemEffect
from mdm.stewardship.card_model import Card, ChildGroup, Happened, Part

Plural = Callable[[str, str, int], str]

NAMED_MAX: Final = 4  # chosen: what one glance takes in
_PARTS: Final[Mapping[str, str]] = {
    "same": N_("Same %(names)s"),
    "near": N_("nearly the same %(names)s"),
    "different": N_("different %(names)s"),
    "missing": N_("%(names)s on one side only"),
}
_RISKS: Final[Mapping[str, str]] = {
    "identifiers_clash": N_(
        "Both hold valid but different %(attribute)s: %(left)s and %(right)s. A merge would mix two legal bodies."
    ),
    "identifiers_of_two_scopes": N_(
        "Their %(attribute)s come from two registers: %(left)s and %(right)s. Often these are two companies of a group."
    ),
    "decided_apart": N_("Somebody has decided that they are different: %(chain)s"),
    "cannot_link_nearby": N_("One of them is close to a record that the other was kept apart from: %(chain)s"),
    "both_established": N_("Both are in use: %(count)s open contracts hang on them."),
    "contradiction": N_("A source says otherwise than a person has decided. A merge ends that decision."),
}
_TWICE: Final[Mapping[str, str]] = {
    "identifiers_clash": N_("Press again to merge two different %(attribute)s"),
    "identifiers_of_two_scopes": N_("Press again to merge %(attribute)s of two registers"),
    "decided_apart": N_("Press again to merge what was kept apart"),
    "cannot_link_nearby": N_("Press again to merge beside a record kept apart"),
    "both_established": N_("Press again to merge two that are both in use"),
    "contradiction": N_("Press again to give way to the source"),
}
_WAITS: Final[Mapping[str, str]] = {
    "it joins two established golden records": N_("it joins two that are both in use"),
}
_ANSWERED: Final[Mapping[str, str]] = {
    "carried_out": N_("done"),
    "proposed": N_("waits for a second person"),
    "rejected": N_("turned down"),
    "lapsed": N_("lapsed"),
    "undone": N_("taken back"),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Speaks a language: numbers and names by `words`, messages and their plurals by the catalogue."""

    words: Words
    ngettext: Plural

    def text(self, message: str) -> str:
        """Say a message."""
        return self.words.translate(message)

    def listed(self, names: Sequence[str]) -> str:
        """Join names as the language does; beyond a bound the rest is counted."""
        if len(names) > NAMED_MAX:
            rest = len(names) - NAMED_MAX + 1
            more = self.ngettext("%(num)s more", "%(num)s more", rest) % {"num": self.words.number(rest)}
            names = [*names[: NAMED_MAX - 1], more]
        return format_list(list(names), locale=self.words.locale) if names else ""


@dataclass(frozen=True, slots=True)
class EffectLine:
    """What one system is told: its colour, name, keys, and a sentence; `quiet` says that nothing of it changes."""

    tone: str
    source: str
    title: str
    keys: tuple[str, ...]
    keys_left_out: int
    changes: str
    names: str
    is_new_id: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened, or several alike in a row, the last at `at`."""

    at: datetime
    what: str
    who: str
    reason: str
    times: int = 1


def question(card: Card, speaker: Speaker) -> str:
    """Ask what the card asks."""
    entity = speaker.words.word("entity", card.review.entity_type)
    if card.asking == "one_or_two":
        return speaker.text(N_("Is this one %(entity)s, or two?")) % {"entity": entity}
    count = len(card.columns) + card.columns_left_out
    return speaker.ngettext(
        "Is this %(num)s record of one %(entity)s?", "Do these %(num)s records belong to one %(entity)s?", count
    ) % {"num": speaker.words.number(count), "entity": entity}


def reason(card: Card, speaker: Speaker) -> str:
    """Say in one sentence why the two may be one."""
    if card.evidence is None:
        return speaker.text(N_("One of the two records is gone; there is nothing to compare any more."))
    said: list[str] = []
    for verdict in ("same", "near", "different", "missing"):
        parts = [part for part in card.evidence.parts if part.verdict == verdict]
        if parts and (verdict != "missing" or len(said) < 2):
            said.append(speaker.text(_PARTS[verdict]) % {"names": speaker.listed([_named(part) for part in parts])})
    sentence = "; ".join(said)
    if not sentence:
        return speaker.text(N_("The two have nothing in common that could be compared."))
    told = f"{sentence[:1].upper()}{sentence[1:]}."
    if card.evidence.is_vetoed:
        return f"{told} {speaker.text(N_('Their numbers forbid that the hub joins them by itself.'))}"
    if card.evidence.rules:
        rules = speaker.listed([speaker.words.word("match_rule", rule) for rule in card.evidence.rules])
        return f"{told} {speaker.text(N_('Asked because of a rule: %(rules)s.')) % {'rules': rules}}"
    return told


def likelihood(share: float, speaker: Speaker) -> tuple[str, str]:
    """Say how likely it is that they are one: a word, and the tone it is written in."""
    if share >= 0.9:
        return speaker.words.word("verdict", "match"), "pos"
    if share >= 0.5:
        return speaker.words.word("verdict", "possible_match"), "mid"
    return speaker.words.word("verdict", "non_match"), "neg"


def warnings(card: Card, speaker: Speaker) -> tuple[str, ...]:
    """Say why a merge would be dangerous; the reason first that weighs most."""
    return tuple(dict.fromkeys(_risk(risk, _RISKS, card, speaker) for risk in card.risks))


def twice(card: Card, speaker: Speaker) -> str:
    """Say what to press again for; "" where one press is enough."""
    return _risk(card.risks[0], _TWICE, card, speaker) if card.risks else ""


def waits(because: str, speaker: Speaker) -> str:
    """Say why a second person is needed."""
    return speaker.text(_WAITS[because]) if because in _WAITS else told(because, speaker.text)


def effects(told: Effects | None, titles: Mapping[str, str], speaker: Speaker) -> tuple[EffectLine, ...]:
    """Say what each system is told when the two become one; where most changes first."""
    if told is None:
        return ()
    ordered = sorted(told.systems, key=lambda one: (-len(one.changes), one.title))
    return tuple(_effect(one, titles, speaker) for one in ordered)


def children(groups: Sequence[ChildGroup], speaker: Speaker, *, moving: bool) -> str:
    """Say what hangs on the two, as "4 projects and 2 contracts"; `moving` only what would belong to another one."""
    counts: dict[str, int] = {}
    for group in groups:
        if group.moves or not moving:
            counts[group.entity_type] = counts.get(group.entity_type, 0) + group.count
    named = [
        f"{speaker.words.number(count)} {speaker.words.word('entity' if count == 1 else 'entities', entity_type)}"
        for entity_type, count in counts.items()
    ]
    return speaker.listed(named)


_WRITTEN_BY_THE_HUB: Final = re.compile(r"answered on the review card|answer ans_\w+ undone")


def history(happened: Sequence[Happened], answers: Sequence[Answer], speaker: Speaker) -> tuple[HistoryLine, ...]:
    """Tell what happened to the records and what was answered, newest first; each operation once."""
    lines = {one.event_id: _happened(one, speaker) for one in reversed(happened)}
    told = [*lines.values(), *(_answered(answer, speaker) for answer in answers)]
    found: list[HistoryLine] = []
    for line in sorted(told, key=lambda line: line.at, reverse=True):
        if found and (found[-1].what, found[-1].who, found[-1].reason) == (line.what, line.who, line.reason):
            found[-1] = replace(found[-1], times=found[-1].times + 1)
        else:
            found.append(line)
    return tuple(found)


def _happened(one: Happened, speaker: Speaker) -> HistoryLine:
    # What the hub writes as a reason where nobody gave one tells a steward nothing.
    is_telling = one.kind not in {"ingest", "deferred"} and not _WRITTEN_BY_THE_HUB.fullmatch(one.reason or "")
    return HistoryLine(
        one.recorded_at, speaker.words.word("cause", one.kind), one.who, one.reason if is_telling else ""
    )


def _answered(answer: Answer, speaker: Speaker) -> HistoryLine:
    verdict = answer.verdict
    said = speaker.words.word("judgement", verdict.judgement)
    if verdict.relation:
        said = f"{said}: {speaker.words.word('relation', verdict.relation)}"
    return HistoryLine(answer.recorded_at, f"{said}, {speaker.text(_ANSWERED[answer.state])}", answer.who, "")


def _effect(one: SystemEffect, titles: Mapping[str, str], speaker: Speaker) -> EffectLine:
    count = len(one.changes)
    changes = ""
    if count:
        changes = speaker.ngettext("%(num)s field changes", "%(num)s fields change", count) % {
            "num": speaker.words.number(count)
        }
    keys = tuple(record.source_key for record in one.records)
    return EffectLine(
        tone=tone_of(one.source),
        source=one.source,
        title=one.title,
        keys=keys[:2],
        keys_left_out=len(keys[2:]) + one.left_out,
        changes=changes,
        names=speaker.listed([titles.get(name, name.replace("_", " ")) for name in one.changes]),
        is_new_id=any(record.new_id is not None for record in one.records),
    )


def _risk(risk: Risk, messages: Mapping[str, str], card: Card, speaker: Speaker) -> str:
    title = next((row.title for row in card.rows if row.attribute == risk.attribute), risk.attribute)
    return speaker.text(messages[risk.kind]) % {
        "attribute": lowered(title),
        "left": ", ".join(map(_number, risk.left)),
        "right": ", ".join(map(_number, risk.right)),
        "chain": "; ".join(told(each, speaker.text) for each in risk.chain),
        "count": speaker.words.number(risk.count),
    }


def _number(told: str) -> str:
    """Write a number without the scheme it was read by: `gb-vat:gb643134800` as GB643134800."""
    return told.rpartition(":")[2].upper()


def _named(part: Part) -> str:
    return lowered(part.title)


def lowered(title: str) -> str:
    """Write the name of an attribute within a sentence; one that begins with capitals stays."""
    first = title.partition(" ")[0]
    return title if sum(letter.isupper() for letter in first) > 1 else title[:1].lower() + title[1:]
