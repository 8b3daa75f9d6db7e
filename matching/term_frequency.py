"""How common values and tokens are, as frozen in the model's population, and what commonness takes off an agreement.

A hub that has learnt no population yet knows only a short list of words that say little in any company's name. Counts
are absolute, not shares: a name stays as rare in ten million records as it was in ten thousand, while the odds that two
random records match fall. That keeps one match line true at every size.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matching.distinct import distinct_in_order
from matching.model import Comparison, MatchModel, Population
from matching.records import Column, Forms
from matching.texts import texts_of, words_of

Rarity: TypeAlias = Callable[[str], float]
"""Weight of a token from 0 (says nothing) to 1 (as good as unique)."""

HOLDERS_FREE: Final = 4
"""Records that may hold a value before its agreement is worth less: one entity's own copies (chosen)."""

TOKEN_HOLDERS_FREE: Final = 2
"""Records that may hold a token before it tells less (chosen)."""

SHARE_COMMON: Final = 64
"""A value of more than one record in this many tells by its share alone: a main street, a capital (chosen)."""

GENERIC_WEIGHT: Final = 0.2
"""Most that a word of GENERIC_TOKENS weighs (chosen)."""

RECORDS_MIN: Final = 1_000
"""A smaller population is taken as this large, so that two holders in a tiny file do not look common (chosen)."""

# Words that tell companies of one brand little apart, in the languages of the connectors' markets (chosen by reading
# company registers).
GENERIC_TOKENS: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "&",
        "the",
        "of",
        "for",
        "de",
        "del",
        "della",
        "di",
        "da",
        "do",
        "des",
        "du",
        "la",
        "le",
        "les",
        "el",
        "los",
        "las",
        "und",
        "der",
        "die",
        "das",
        "et",
        "y",
        "e",
        "og",
        "och",
        "en",
        "van",
        "von",
        "group",
        "groupe",
        "gruppe",
        "grupo",
        "gruppo",
        "groep",
        "gruppen",
        "holding",
        "holdings",
        "beteiligungs",
        "company",
        "companies",
        "co",
        "corp",
        "corporation",
        "inc",
        "limited",
        "international",
        "intl",
        "global",
        "worldwide",
        "services",
        "service",
        "servicios",
        "servicos",
        "servizi",
        "dienste",
        "solutions",
        "solution",
        "enterprise",
        "enterprises",
        "industries",
        "industry",
        "trading",
        "partners",
        "associates",
        "consulting",
        "consultants",
        "management",
        "systems",
        "technologies",
        "technology",
        "center",
        "centre",
    ]
)


def token_rarity(population: Population, feature: str) -> Rarity:
    """Return how much each token of a feature tells: 1 − log(holders) / log(records), generic words never above 0.2."""
    holders = population.frequency.get(f"{feature} tokens", {})
    scale = math.log2(max(population.records_count, RECORDS_MIN))

    def rarity(token: str) -> float:
        weight = max(0.05, 1.0 - math.log2(max(1.0, holders.get(token, 1) / TOKEN_HOLDERS_FREE)) / scale)
        return min(weight, GENERIC_WEIGHT) if token in GENERIC_TOKENS else weight

    return rarity


def informative(forms: Forms, population: Population) -> Forms:
    """Drop the values that tell nothing: those the population found shared by many different names."""
    if not population.generic:
        return forms
    kept = {
        name: without(column, population.generic[name]) if population.generic.get(name) else column
        for name, column in forms.features.items()
    }
    return Forms(forms.keys, forms.sources, forms.contexts, kept)


def without(column: Column, values: frozenset[str]) -> Column:
    """Return the column with some values taken out of every record; the dictionary stays."""
    is_kept = np.fromiter((value not in values for value in column.values), dtype=bool, count=len(column.values))
    if is_kept.all():
        return column
    kept = is_kept[column.codes]
    counts = np.bincount(column.owners[kept], minlength=len(column))
    return Column(np.concatenate(([0], np.cumsum(counts))).astype(np.int64), column.codes[kept], column.values)


def holders(column: Column, frequency: Mapping[str, int]) -> NDArray[np.int64]:
    """Return how many records of the population hold each value of a column: int64 [values], at least 1."""
    return np.fromiter((frequency.get(value, 1) for value in column.values), dtype=np.int64, count=len(column.values))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Hold forms without the values that tell nothing, and how common each record's rarest value of a feature is.

    holders  feature → int64 [records], 1 where a record has no value; only features whose counts the population knows
    """

    forms: Forms
    holders: Mapping[str, NDArray[np.int64]]


def know(forms: Forms, model: MatchModel) -> Known:
    """Look up what the model's population knows of the values of some records."""
    telling = informative(forms, model.population)
    compared = {comparison.feature for comparison in model.comparisons}
    counted_features = {name: model.population.frequency[name] for name in compared & model.population.frequency.keys()}
    return Known(
        telling,
        {
            name: _rarest(telling.features[name], holders(telling.features[name], counts))
            for name, counts in counted_features.items()
            if counts
        },
    )


def frequency_bits(
    known: Known,
    left: NDArray[np.integer],
    right: NDArray[np.integer],
    vectors: NDArray[np.int8],
    model: MatchModel,
) -> NDArray[np.float64]:
    """Return what the commonness of agreed values takes off: float64 [pairs, comparisons], 0 or less.

    Agreement on a value of more than one record in SHARE_COMMON is worth log2(1 / share) at most. With
    `term_frequency`, each doubling of the holders above HOLDERS_FREE takes one bit besides. Neither makes an
    agreement count against a pair. The rarer of a record's values counts, as they are the evidence, and the more
    common of the two sides, as a slip of the pen does not make a common name rare.
    """
    taken = np.zeros(vectors.shape, dtype=np.float64)
    records_count = max(model.population.records_count, RECORDS_MIN)
    for position, comparison in enumerate(model.comparisons):
        rarest = known.holders.get(comparison.feature)
        if rarest is None:
            continue
        shared = np.maximum(rarest[left], rarest[right])
        worth = _positive_bits(comparison)[vectors[:, position]]
        by_share = np.log2(np.maximum(1.0, records_count / shared))
        kept = np.where(shared * SHARE_COMMON > records_count, np.minimum(worth, by_share), worth)
        if comparison.term_frequency:
            kept = np.minimum(kept, np.maximum(0.0, worth - np.log2(np.maximum(1.0, shared / HOLDERS_FREE))))
        taken[:, position] = kept - worth
    return taken


def _rarest(column: Column, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the count of each record's rarest value: int64 [records], 1 where it has none."""
    rarest = np.ones(len(column), dtype=np.int64)
    held = np.flatnonzero(column.counts)
    if len(held):
        rarest[held] = np.minimum.reduceat(counts[column.codes], column.offsets[held])
    return rarest


def _positive_bits(comparison: Comparison) -> NDArray[np.float64]:
    """Return the bits of each level, none below 0; the last entry serves the index -1 of a missing one."""
    return np.array([max(0.0, level.bits) for level in comparison.levels] + [0.0])


def counted(column: Column, more_than: int = 1) -> dict[str, int]:
    """Count the records that hold each value; values held by no more than a bound are left out."""
    counts = np.bincount(column.codes, minlength=len(column.values))
    return {column.values[code]: int(counts[code]) for code in np.flatnonzero(counts > more_than)}


def counted_tokens(column: Column, more_than: int = 1) -> dict[str, int]:
    """Count the records that hold each token in some value; tokens held by no more than a bound are left out."""
    words = words_of(texts_of(column.values))
    words_count = max(1, len(words.distinct))
    held = distinct_in_order(words.owners * words_count + words.codes)
    by_value = np.bincount(column.codes, minlength=len(column.values))
    counts = np.bincount(held % words_count, weights=by_value[held // words_count], minlength=words_count)
    return {words.distinct[code]: int(counts[code]) for code in np.flatnonzero(counts > more_than)}


def spread(column: Column, names: Column) -> dict[str, int]:
    """Count the different names among the holders of each value: how a switchboard or a mailbox for all is found."""
    first = names.first_codes()[column.owners]
    named = first >= 0
    pairs = distinct_in_order(column.codes[named].astype(np.int64) * max(1, len(names.values)) + first[named])
    counts = np.bincount(pairs // max(1, len(names.values)), minlength=len(column.values))
    return {column.values[code]: int(counts[code]) for code in np.flatnonzero(counts > 1)}


def above(counts: Mapping[str, int], limit: int) -> dict[str, int]:
    """Return the values counted more often than a limit, with their counts."""
    return {value: count for value, count in counts.items() if count > limit}
