"""Make a set of customer records of a professional-services firm's systems, with the truth: who is the same company.

    python benchmarks/b2b/generate.py --records 100000 --seed 1 --out FOLDER

writes records.parquet (id, source, raw columns as the systems hold them), truth.parquet (id, cluster_id) and
causes.parquet (id, cluster_id, family, site, and what was done to the record). Sets up to 200,000 records come as CSV
too. The same seed, size and profile give the same bytes; memory stays flat, since blocks are written one by one.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from arrow import digit_texts, digits_of, joined, pick, texts
from companies import SISTER_KINDS, Companies, Tools, make_companies
from drafts import Draft
from profiles import PROFILES, Profile
from records import write_records
from vocabulary import Vocabulary

BLOCK_RECORDS = 50_000
CSV_RECORDS_MAX = 200_000
_IDS = 999_999_937  # a prime: number → id is one to one and tells nothing
_HUGE_CLUSTER_MAX = 30


@dataclass(frozen=True, slots=True)
class Order:
    """Name a set: the same order gives the same bytes."""

    records: int
    seed: int
    profile: str = "first"

    @property
    def settings(self) -> Profile:
        """Give the profile's shares."""
        return PROFILES[self.profile]

    @property
    def mean_cluster(self) -> float:
        """Give how many records a company has on average."""
        shares = np.array(self.settings.cluster_sizes)
        return float((shares * (np.arange(len(shares)) + 1)).sum() / shares.sum())


@cache
def vocabulary_of(order: Order) -> Vocabulary:
    """Give the words of a set, as many as its size calls for."""
    return Vocabulary(order.settings, int(order.records / order.mean_cluster))


def block_of(order: Order, block: int) -> dict[str, pa.Table]:
    """Make one block: its records, their truth, their causes, in one random order."""
    rng = np.random.default_rng([order.seed, order.records, block, len(order.profile)])
    count = min(BLOCK_RECORDS, order.records - block * BLOCK_RECORDS)
    size = _cluster_sizes(count, order.settings, rng)
    number = block * BLOCK_RECORDS + np.arange(len(size))
    tools = Tools(vocabulary_of(order), order.settings, rng)
    companies = make_companies(number, size, tools)
    company = rng.permutation(np.repeat(np.arange(len(size)), size))
    shares = np.array([source.share for source in order.settings.sources])
    source = rng.choice(len(shares), count, p=shares / shares.sum())
    drafts = [
        Draft(own, company[source == place], companies, tools) for place, own in enumerate(order.settings.sources)
    ]
    written = pa.concat_tables(pa.table(write_records(draft)) for draft in drafts)
    order_back = np.argsort(np.argsort(source, kind="stable"))
    written = written.take(pa.array(order_back))
    ids = _ids(block, count, source, order)
    names = texts([own.name for own in order.settings.sources])
    records = pa.table(
        {"id": ids, "source": pick(names, source), **{name: written[name] for name in written.column_names}}
    )
    return {"records": records} | _answers(ids, companies, company, [(draft, order_back) for draft in drafts])


def _cluster_sizes(count: int, profile: Profile, rng: np.random.Generator) -> np.ndarray:
    shares = np.array(profile.cluster_sizes)
    drawn = rng.choice(len(shares), count, p=shares / shares.sum()) + 1
    huge = drawn == len(shares)
    drawn[huge] = rng.integers(len(shares), _HUGE_CLUSTER_MAX + 1, huge.sum())
    size = drawn[: np.searchsorted(np.cumsum(drawn), count) + 1]
    size[-1] -= size.sum() - count
    return size


def _ids(block: int, count: int, source: np.ndarray, order: Order) -> pa.Array:
    number = ((block * BLOCK_RECORDS + np.arange(count)) * 736_338_717 + order.seed * 1_000_003) % _IDS
    prefix = texts(["".join(word[0] for word in own.name.split("-")).upper() + "-" for own in order.settings.sources])
    return joined(pick(prefix, source), digit_texts(digits_of(number, 9)))


def _answers(
    ids: pa.Array, companies: Companies, company: np.ndarray, drafts: list[tuple[Draft, np.ndarray]]
) -> dict[str, pa.Table]:
    cluster = joined("c", digit_texts(digits_of(companies.number, 8)))
    cluster = pick(cluster, company)
    back = pa.array(drafts[0][1])
    site = np.concatenate([draft.site - companies.sites.first[draft.company] for draft, _ in drafts])
    causes = pa.concat_arrays([draft.marks.written() for draft, _ in drafts])
    kinds = pick(texts(list(SISTER_KINDS)), companies.sister_kind[company])
    causes_table = pa.table(
        {
            "id": ids,
            "cluster_id": cluster,
            "family": pa.array(companies.family[company]),
            "sister_kind": kinds,
            "site": pa.array(site).take(back),
            "causes": causes.take(back),
        }
    )
    return {"truth": pa.table({"id": ids, "cluster_id": cluster}), "causes": causes_table}


def blocks_of(order: Order, processes: int) -> Iterator[dict[str, pa.Table]]:
    """Make all blocks in their order."""
    blocks = range(-(-order.records // BLOCK_RECORDS))
    if processes == 1 or len(blocks) == 1:
        yield from (block_of(order, block) for block in blocks)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(block_of, [order] * len(blocks), blocks)


def write_set(order: Order, folder: Path, processes: int = 1) -> None:
    """Write a set's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, pq.ParquetWriter] = {}
    for tables in blocks_of(order, processes):
        for name, table in tables.items():
            if name not in writers:
                writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", table.schema, compression="zstd")
            writers[name].write_table(table)
    for writer in writers.values():
        writer.close()
    if order.records <= CSV_RECORDS_MAX:
        for name in ("records", "truth"):
            pa_csv.write_csv(pq.read_table(folder / f"{name}.parquet"), folder / f"{name}.csv")


def main() -> None:
    """Read the command line and write a set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="first")
    parser.add_argument("--processes", type=int, default=1)
    chosen = parser.parse_args()
    write_set(Order(chosen.records, chosen.seed, chosen.profile), chosen.out, chosen.processes)


if __name__ == "__main__":
    main()
