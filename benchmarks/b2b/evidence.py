"""Say how much of a generated set could be found at all: true pairs that hang together by what a human would see.

    python benchmarks/b2b/evidence.py FOLDER

Two records of one company count as tied by a tax or register number, by two contacts (domain, telephone, street with
number, mailbox), by one contact and a like name or the same town, or by a like name and the same town. A true pair
hangs together if such ties lead from one record to the other within their cluster. Sets of up to 100,000 records.
"""

import argparse
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import pyarrow.parquet as pq
from rapidfuzz import fuzz

from matching.records import Column
from matching.standardise import standardise
from mdm.entities.service import entity_types
from mdm.jobs.columnar import records_of

Values = list[set[str]]

_LIKE_NAME = 70
_NEAR_NAME = 88
_LIKE_TEXT = 80
_NUMBER_LENGTH_MIN = 5
_LOCAL_DIGITS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Hold what each record shows, as compare forms."""

    name: Values
    tax: Values
    register: Values
    domain: Values
    mailbox: Values
    line: Values
    street: Values
    house: Values
    city: Values
    postal: Values

    def tie(self, a: int, b: int) -> str:
        """Name what ties two records together, "" for nothing."""
        if _meet(self.tax[a] | self.register[a], self.tax[b] | self.register[b]):
            return "number"
        street = _alike(self.street[a], self.street[b], _LIKE_TEXT) and bool(self.house[a] & self.house[b])
        contacts = bool(self.domain[a] & self.domain[b]) + bool(self.line[a] & self.line[b]) + street
        contacts += bool(self.mailbox[a] & self.mailbox[b])
        town = bool(self.postal[a] & self.postal[b]) or _alike(self.city[a], self.city[b], _LIKE_TEXT)
        likeness = max((fuzz.token_set_ratio(x, y) for x in self.name[a] for y in self.name[b]), default=0)
        if contacts > 1:
            return "two contacts"
        if contacts and likeness >= _LIKE_NAME:
            return "contact and name"
        if contacts and town:
            return "contact and town"
        return "name and town" if town and likeness >= _NEAR_NAME else ""


def seen_in(folder: Path) -> Seen:
    """Read what the records of a set show."""
    customer = entity_types()["customer"]
    rows = pq.read_table(folder / "records.parquet")
    forms = standardise(records_of(rows, customer, {}, None).records, customer.model).features
    names = ("name", "email", "street", "house_number", "city", "postal_code", "any_domain", "phone")
    of = {name: _by_record(forms[name]) for name in (*names, "tax_id", "registration")}
    return Seen(
        name=of["name"],
        tax=[_digits(values) for values in of["tax_id"]],
        register=[_digits(values) for values in of["registration"]],
        domain=of["any_domain"],
        mailbox=of["email"],
        line=[{value[-_LOCAL_DIGITS:-1] for value in values} for values in of["phone"]],
        street=of["street"],
        house=of["house_number"],
        city=of["city"],
        postal=of["postal_code"],
    )


def _by_record(column: Column) -> Values:
    values, codes, offsets = column.values, column.codes.tolist(), column.offsets.tolist()
    return [{values[code] for code in codes[a:b]} for a, b in pairwise(offsets)]


def _digits(values: set[str]) -> set[str]:
    digits = {re.sub(r"\D", "", value) for value in values}
    return {written for written in digits if len(written) >= _NUMBER_LENGTH_MIN}


def _meet(first: set[str], second: set[str]) -> bool:
    return any(x in y or y in x for x in first for y in second)


def _alike(first: set[str], second: set[str], least: float) -> bool:
    return any(fuzz.ratio(x, y) >= least for x in first for y in second)


def pieces(members: list[int], seen: Seen, ties: Counter[str]) -> Iterator[int]:
    """Give the sizes of the parts of a cluster that hang together."""
    parts = [{member} for member in members]
    for a, b in combinations(members, 2):
        tie = seen.tie(a, b)
        ties[tie or "nothing"] += 1
        if tie:
            touched = [part for part in parts if a in part or b in part]
            parts = [part for part in parts if part not in touched] + [set().union(*touched)]
    return map(len, parts)


def main() -> None:
    """Read the command line and print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    seen, ties = seen_in(folder), Counter[str]()
    clusters = defaultdict(list)
    for place, cluster in enumerate(pq.read_table(folder / "truth.parquet")["cluster_id"].to_pylist()):
        clusters[cluster].append(place)
    true = sum(len(members) * (len(members) - 1) // 2 for members in clusters.values())
    held = sum(size * (size - 1) // 2 for members in clusters.values() for size in pieces(members, seen, ties))
    print(f"{true:,} true pairs, of which {held / true:.2%} hang together")
    for tie, count in ties.most_common():
        print(f"  {tie:<18}{count / true:>8.1%}")


if __name__ == "__main__":
    main()
