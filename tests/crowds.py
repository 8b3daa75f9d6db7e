"""Small crowds of companies for the laws of backends: every way in which records meet, conflict and are too common."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from matching.bulk import BulkMatch
from matching.bulk import match as match_in_bulk
from matching.learning.sample import lesson_of
from matching.model import VERDICTS, BlockingRule, Comparison, FeatureSpec, KeyPart, Level, MatchModel, Rule, Veto
from matching.records import Forms, Records, records_from_rows

_BRANDS = ("Acme", "Bolton", "Castellane", "Dumont", "Elmhurst", "Farnhaus", "Größwang", "Ålesund")
_TRADES = ("Plastics", "Foods", "Logistics", "Tools Group", "Tools")
_FORMS = ("GmbH", "Ltd", "", "S.A.")
_NAME_LEVELS = (Level("same", 0.95, 7.5), Level("similar", 0.7, 3.0), Level("other", 0.0, -4.0))
_SAME_LEVELS = (Level("same", 1.0, 5.0), Level("other", 0.0, -1.5))

MODEL = MatchModel(
    entity_type="company",
    features=(
        FeatureSpec("name", "company_name", ("name", "other_names")),
        FeatureSpec("phone", "phone", ("phone",), country_from=("country",)),
        FeatureSpec("domain", "domain", ("website",)),
        FeatureSpec("city", "city", ("city",)),
        FeatureSpec("number", "identifier", ("number",)),
        FeatureSpec("note", "text", ("note",)),
    ),
    blocking=(
        BlockingRule("name", (KeyPart("name", "rare_tokens:2"),)),
        BlockingRule("name and city", (KeyPart("name", "first:3"), KeyPart("city"))),
        BlockingRule("phone", (KeyPart("phone"),), size_max=5),
        BlockingRule("domain", (KeyPart("domain"),)),
    ),
    comparisons=(
        Comparison("name", "name", "company_name", _NAME_LEVELS, term_frequency=True),
        Comparison("phone", "phone", "phone", _SAME_LEVELS, term_frequency=True),
        Comparison("domain", "domain", "exact", _SAME_LEVELS),
        Comparison("city", "city", "string", _SAME_LEVELS),
        Comparison("note", "note", "tokens", _SAME_LEVELS),
    ),
    rules=(Rule("two cities", "possible_match", (("city", "other"),), bound="at_most"),),
    vetoes=(Veto("number", "number"),),
    prior_bits=-5.0,
    match_bits=1.0,
    review_bits=-2.0,
    block_size_max=9,
)


def told_by_forms(forms: Forms, model: MatchModel) -> MatchModel:
    """Teach what depends on every form that is drawn, and on nothing else: a prior of -5 to -4 bits."""
    told = lesson_of(forms, model.population.records_count)
    values = [[column.of(place) for place in range(len(told.keys))] for _, column in sorted(told.features.items())]
    return replace(model, prior_bits=crc32(repr((told.keys, told.contexts, values)).encode()) % 1_000 / 1_000 - 5)


@dataclass(frozen=True)
class Crowd:
    """Records with what stewards said of them, as positions."""

    records: Records
    model: MatchModel
    musts: tuple[tuple[int, int], ...]
    conflicts: tuple[tuple[int, int], ...]

    @property
    def in_bulk(self) -> BulkMatch:
        return match_in_bulk(self.records, self.model, teach=told_by_forms, bound=(self.musts, self.conflicts))

    def key_pairs(self, pairs: tuple[tuple[int, int], ...]) -> list[tuple[str, str]]:
        keys = self.records.keys
        return [(keys[left], keys[right]) for left, right in pairs]


def crowd(seed: int, size: int) -> Crowd:
    """Draw a crowd; every third one is matched within parents, every other one under a model frozen before."""
    rnd = random.Random(seed)
    rows = [_row(rnd) for _ in range(size)]
    keys = [f"crm/Account:{number:05d}" for number in rnd.sample(range(size * 3), size)]
    contexts = [rnd.choice(("p1", "p2", "")) for _ in rows] if seed % 3 == 2 else None
    records = records_from_rows(keys, [rnd.choice(("crm", "erp")) for _ in rows], rows, contexts)
    model = MODEL
    if seed % 2:  # another population is frozen, and blocks outgrow it: over 1 × 20 they are left out
        model = match_in_bulk(part(records, 0, size // 3), replace(MODEL, block_size_max=1000)).model
        model = replace(model, block_size_max=1)
    pairs = [tuple(rnd.sample(range(size), 2)) for _ in range(size // 8)] if size > 1 else []
    drawn = tuple((int(left), int(right)) for left, right in pairs)
    return Crowd(records, model, drawn[::3], tuple(pair for pair in drawn if pair not in drawn[::3]))


def part(records: Records, start: int, end: int) -> Records:
    """Return some records that stand together."""
    rows = np.arange(start, min(end, len(records.keys)))
    contexts = None if records.contexts is None else records.contexts[start:end]
    attributes = {name: column.take(rows) for name, column in records.attributes.items()}
    return Records(records.keys[start:end], records.sources[start:end], attributes, contexts)


def parts_of(records: Records, size: int) -> Iterator[Records]:
    """Cut records into parts of a size, the last one smaller."""
    for start in range(0, len(records.keys), size):
        yield part(records, start, start + size)


def clusters_of(found: BulkMatch, records: Records) -> dict[str, str]:
    """Name each record's cluster by the smallest key in it."""
    return {key: records.keys[label] for key, label in zip(records.keys, found.labels.tolist(), strict=True)}


def pairs_of(found: BulkMatch, records: Records) -> dict[tuple[str, str], tuple[object, ...]]:
    """Give bits, verdict and the label of each level by the keys of a pair, the smaller one first."""
    rows = zip(
        found.left.tolist(),
        found.right.tolist(),
        found.bits.tolist(),
        found.verdicts.tolist(),
        found.vectors.tolist(),
        strict=True,
    )
    told = {}
    for left, right, bits, verdict, vector in rows:
        levels = [
            None if level < 0 else comparison.levels[level].label
            for comparison, level in zip(found.model.comparisons, vector, strict=True)
        ]
        first, second = sorted((records.keys[left], records.keys[right]))
        told[first, second] = (bits, VERDICTS[verdict], *levels)
    return told


def _row(rnd: random.Random) -> dict[str, list[str]]:
    brand, trade = rnd.choice(_BRANDS), rnd.choice(_TRADES)
    name = f"{brand} {trade} {rnd.choice(_FORMS)}".strip()
    if rnd.random() < 0.1:
        name = name.replace("l", "ll", 1)
    return {
        "name": [name] if rnd.random() < 0.95 else [],
        "other_names": [f"{rnd.choice(_BRANDS)} {trade}"] if rnd.random() < 0.15 else [],
        "phone": [f"+49 30 5550{rnd.randint(100, 130)}"] if rnd.random() < 0.6 else [],
        "website": [
            f"https://www.{brand.lower().replace('ö', 'oe').replace('å', 'aa')}{rnd.randint(1, 3)}.example-firm.de"
        ],
        "city": [rnd.choice(("Berlin", "Wien", "London", "Bern"))] if rnd.random() < 0.8 else [],
        "country": [rnd.choice(("de", "at"))],
        "number": [f"N-{rnd.randint(1, 9)}" for _ in range(rnd.randint(1, 2))] if rnd.random() < 0.3 else [],
        "note": [rnd.choice(("a b", "b a", "tab\tand \x1e\x1f\x1d marks", "日本 x"))] if rnd.random() < 0.4 else [],
    }
