"""The generated B2B set is the same each time, tells the truth, and carries tax numbers that python-stdnum accepts."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from stdnum.util import get_cc_module

from mdm.entities.service import entity_types
from mdm.jobs.columnar import records_of

GENERATE = Path(__file__).parents[4] / "benchmarks" / "b2b" / "generate.py"
FILES = ("records", "truth", "causes")
RECORDS = 3_000
TAX_MODULES = {
    "DE": "vat",
    "AT": "uid",
    "CH": "vat",
    "FR": "tva",
    "GB": "vat",
    "NL": "btw",
    "BE": "vat",
    "ES": "nif",
    "IT": "iva",
    "PL": "nip",
    "SE": "vat",
    "US": "ein",
}
FAULTY = {"tax_missing", "tax_placeholder", "tax_slip", "tax_sister", "tax_stranger"}


def generate(folder: Path, *options: str) -> Path:
    command = [sys.executable, str(GENERATE), "--records", str(RECORDS), "--out", str(folder), *options]
    subprocess.run(command, check=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("b2b"))


def test_one_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    again = generate(tmp_path / "again")
    other = generate(tmp_path / "other", "--seed", "2")

    for name in FILES:
        assert (again / f"{name}.parquet").read_bytes() == (folder / f"{name}.parquet").read_bytes()
    assert (other / "records.parquet").read_bytes() != (folder / "records.parquet").read_bytes()


def test_each_record_has_one_id_and_one_true_cluster(folder: Path) -> None:
    records, truth, causes = (pq.read_table(folder / f"{name}.parquet") for name in FILES)

    assert records.num_rows == RECORDS
    assert records["id"].to_pylist() == truth["id"].to_pylist() == causes["id"].to_pylist()
    assert len(set(records["id"].to_pylist())) == RECORDS
    assert truth["cluster_id"].to_pylist() == causes["cluster_id"].to_pylist()
    sizes = Counter(truth["cluster_id"].to_pylist())
    assert 1.9 < RECORDS / len(sizes) < 2.4
    assert max(sizes.values()) <= 30
    assert len(set(records["source"].to_pylist())) == 5


def test_right_tax_numbers_pass_their_country_and_name_one_company(folder: Path) -> None:
    records, causes = (pq.read_table(folder / f"{name}.parquet").to_pylist() for name in ("records", "causes"))
    pairs = zip(records, causes, strict=True)
    right = [(row, told) for row, told in pairs if not FAULTY & set(told["causes"].split(";"))]

    clusters: dict[str, set[str]] = {}
    for row, told in right:
        written = row["vat_number"].removeprefix("USt-IdNr. ").removeprefix("Tax ID: ").removeprefix("VAT ")
        bare = "".join(letter for letter in written if letter.isdigit())
        clusters.setdefault(bare, set()).add(told["cluster_id"])
        if row["country"] in TAX_MODULES:  # one source writes countries as ISO codes
            module = get_cc_module(row["country"].lower(), TAX_MODULES[row["country"]])
            assert module is not None
            assert module.is_valid(written), row
    assert len(right) > RECORDS / 2
    assert all(len(found) == 1 for found in clusters.values())


def test_sisters_are_other_companies_and_share_what_sisters_share(folder: Path) -> None:
    causes = pq.read_table(folder / "causes.parquet").to_pylist()
    families: dict[int, set[str]] = {}
    for told in causes:
        if told["family"] >= 0:
            families.setdefault(told["family"], set()).add(told["cluster_id"])

    assert sum(told["family"] >= 0 for told in causes) > RECORDS / 5
    assert sum(len(found) > 1 for found in families.values()) > 50
    assert len(set().union(*families.values())) == sum(map(len, families.values()))


def test_the_customer_declaration_knows_every_column(folder: Path) -> None:
    rows = records_of(pq.read_table(folder / "records.parquet"), entity_types()["customer"], {}, None)

    claimed = {column for columns in rows.columns.values() for column in columns}
    wanted = set(pq.read_schema(folder / "records.parquet").names) - {"id", "source"}
    assert wanted <= claimed
