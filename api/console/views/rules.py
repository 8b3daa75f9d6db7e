"""The page Rules: figures of a position of the lines, versions, forms of weights and of whose value survives. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from babel.numbers import format_percent

from api.console.drawings.scores import DrawnScores, scores
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.entities.frozen import survivorship_of
from mdm.entities.model import EntityType, Strategy
from mdm.modelling.desk import Scores
from mdm.modelling.lines import BITS_MIN, STEP_BITS, Position

SURE_MAX: Final = 0.9999
"""Chosen: a share beyond it is told as more than it, and one below the rest as less."""
ORIGINS: Final[Mapping[str, str]] = {
    "declared": N_("from the files"),
    "decisions": N_("learnt from decisions"),
    "labels": N_("learnt from a list of pairs"),
    "identifiers": N_("learnt from identifiers"),
    "edited": N_("edited here"),
    "file": N_("from an imported file"),
}
LINES: Final[Mapping[str, str]] = {
    "review_bits": N_("Review from"),
    "match_bits": N_("Merge without review from"),
    "prior_bits": N_("Before anything is compared"),
    "block_size_max": N_("Largest group that is compared"),
    "population": N_("Records whose values are known to be common or rare"),
}
WORK: Final[Mapping[str, str]] = {
    "records": N_("records moved"),
    "created": N_("golden records made"),
    "forwarded": N_("golden records merged"),
    "restored": N_("golden records brought back"),
    "retired": N_("golden records ended"),
    "reviews": N_("questions opened or closed"),
    "values": N_("golden records with new values"),
}


@dataclass(frozen=True, slots=True)
class LinesShown:
    """The drawing of the scores and what the lines cost where they stand."""

    drawing: DrawnScores
    here: Position
    holds: Position
    is_moved: bool


@dataclass(frozen=True, slots=True)
class ValueRow:
    """Whose value survives for an attribute, or for a group of them that move together."""

    name: str
    title: str
    members: tuple[str, ...]
    strategy: str
    sources: str
    fallback: str
    options: str

    def fallbacks(self) -> tuple[str, ...]:
        """List what may be chosen where the first way finds no single value: nothing, one way, or what holds."""
        return tuple(dict.fromkeys(("", self.fallback, *strategies())))


def lines_shown(found: Scores, review_bits: float, match_bits: float) -> LinesShown:
    """Draw the scores with the two lines, and count what they cost there and where they hold."""
    bars = found.histogram.bars.tolist()
    return LinesShown(
        scores(bars, BITS_MIN, STEP_BITS, (review_bits, match_bits)),
        found.at(review_bits, match_bits),
        found.at(found.review_bits, found.match_bits),
        (review_bits, match_bits) != (found.review_bits, found.match_bits),
    )


def probability(bits: float, words: Words) -> str:
    """Say how sure the model is at these bits, as a share that tells 99.6 % from 99.98 %."""
    share = 1 / (1 + 2.0**-bits)
    if share > SURE_MAX:
        return f"> {_percent(SURE_MAX, words)}"
    return _percent(share, words) if share >= 1 - SURE_MAX else f"< {_percent(1 - SURE_MAX, words)}"


def value_rows(entity_type: EntityType) -> tuple[ValueRow, ...]:
    """List whose value survives, groups in the place of their first attribute."""
    choice = survivorship_of(entity_type)
    rows: dict[str, ValueRow] = {}
    for name, attribute in entity_type.attributes.items():
        group = attribute.group
        rule = choice.attributes[name] if group is None else choice.groups[group]
        members = () if group is None else tuple(entity_type.attributes[one].title for one in entity_type.groups[group])
        rows.setdefault(
            group or name,
            ValueRow(
                group or name,
                attribute.title if group is None else group,
                members,
                rule.strategy,
                ", ".join(rule.sources),
                ", ".join(rule.fallback),
                ", ".join(f"{key}: {value}" for key, value in sorted(rule.options.items())),
            ),
        )
    return tuple(rows.values())


def strategies() -> Sequence[str]:
    """List the ways to choose a value, in the order of the declaration."""
    return tuple(get_args(Strategy))


def changed_values(entity_type: EntityType, fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Read the form of whose value survives: only what differs from what holds, options kept."""
    choice = survivorship_of(entity_type)
    holds = {**choice.attributes, **choice.groups}
    found: dict[str, dict[str, Any]] = {}
    for row in value_rows(entity_type):
        asked = (
            fields.get(f"strategy:{row.name}", row.strategy),
            _listed(fields.get(f"sources:{row.name}", row.sources)),
            _listed(fields.get(f"fallback:{row.name}", row.fallback)),
        )
        if asked != (row.strategy, _listed(row.sources), _listed(row.fallback)):
            strategy, sources, fallback = asked
            options = dict(holds[row.name].options) if strategy == row.strategy else {}
            found[row.name] = {"strategy": strategy, "sources": sources, "fallback": fallback, "options": options}
    return found


def changed_bits(entity_type: EntityType, fields: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Read the form of weights: the levels that are worth something else than now; raises ValueError."""
    found = {}
    for comparison in entity_type.model.comparisons:
        for level in comparison.levels:
            given = fields.get(f"bits:{comparison.name}:{level.label}", "").replace(",", ".").strip()
            if given and float(given) != level.bits:
                found[comparison.name, level.label] = float(given)
    return found


def _percent(share: float, words: Words) -> str:
    """Write a share with as many decimals as it takes to see what is left to certainty."""
    rest = min(share, 1 - share)
    decimals = "" if rest >= 0.02 else ".#" if rest >= 0.002 else ".##"
    pattern = words.locale.percent_formats[None].pattern.replace("0", f"0{decimals}", 1)
    pattern = pattern.replace("#,##", "")
    return str(format_percent(share, format=pattern, locale=words.locale))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
