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
SOURCES = {"first": 5, "unseen": 7}
COUNTRIES = {"first": 12, "unseen": 15}
TAXED_SHARE = {"first": (0.5, 0.6), "unseen": (0.35, 0.45)}
LABELS = ("USt-IdNr. ", "Tax ID: ", "VAT no. ", "VAT ", "TVA ", "NIF: ", "ID ")
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
    "IE": "vat",
    "PT": "nif",
    "NO": "mva",
    "DK": "cvr",
    "FI": "alv",
    "CZ": "dic",
}
FAULTY = {"tax_missing", "tax_placeholder", "tax_slip", "tax_sister", "tax_stranger"}


def generate(folder: Path, *options: str) -> Path:
    command = [sys.executable, str(GENERATE), "--records", str(RECORDS), "--out", str(folder), *options]
    subprocess.run(command, check=True, timeout=60)
    return folder


@pytest.fixture(scope="module", params=sorted(SOURCES))
def profile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, profile: str) -> Path:
    return generate(tmp_path_factory.mktemp("b2b"), "--profile", profile)


def test_one_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, profile: str, tmp_path: Path) -> None:
    again = generate(tmp_path / "again", "--profile", profile)
    other = generate(tmp_path / "other", "--profile", profile, "--seed", "2")

    for name in FILES:
        assert (again / f"{name}.parquet").read_bytes() == (folder / f"{name}.parquet").read_bytes()
    assert (other / "records.parquet").read_bytes() != (folder / "records.parquet").read_bytes()


def test_each_record_has_one_id_and_one_true_cluster(folder: Path, profile: str) -> None:
    records, truth, causes = (pq.read_table(folder / f"{name}.parquet") for name in FILES)

    assert records.num_rows == RECORDS
    assert records["id"].to_pylist() == truth["id"].to_pylist() == causes["id"].to_pylist()
    assert len(set(records["id"].to_pylist())) == RECORDS
    assert truth["cluster_id"].to_pylist() == causes["cluster_id"].to_pylist()
    sizes = Counter(truth["cluster_id"].to_pylist())
    assert 1.9 < RECORDS / len(sizes) < 2.4
    assert max(sizes.values()) <= 30
    assert len(set(records["source"].to_pylist())) == SOURCES[profile]


def test_right_tax_numbers_pass_their_country_and_name_one_company(folder: Path, profile: str) -> None:
    records, causes = (pq.read_table(folder / f"{name}.parquet") for name in ("records", "causes"))
    numbers, countries = records[4].to_pylist(), records[12].to_pylist()
    clusters: dict[str, set[str]] = {}
    countries_seen = set()

    for told, number, country in zip(causes.to_pylist(), numbers, countries, strict=True):
        if FAULTY & set(told["causes"].split(";")):
            continue
        bare = without_label(number, country)
        clusters.setdefault("".join(filter(str.isdigit, bare)), set()).add(told["cluster_id"])
        if country in TAX_MODULES:  # some systems write countries as ISO codes
            module = get_cc_module(country.lower(), TAX_MODULES[country])
            assert module is not None
            assert module.is_valid(bare), (country, number)
            countries_seen.add(country)

    least, most = TAXED_SHARE[profile]
    assert least < sum(number is not None for number in numbers) / RECORDS < most
    assert len(countries_seen) == COUNTRIES[profile]
    assert all(len(found) == 1 for found in clusters.values())


def without_label(number: str, country: str | None) -> str:
    for label in LABELS:
        number = number.removeprefix(label)
    return f"U{number}" if country == "AT" and number.isdigit() else number  # systems drop ATU as they drop DE


def test_sisters_are_other_companies_and_share_what_sisters_share(folder: Path) -> None:
    causes = pq.read_table(folder / "causes.parquet").to_pylist()
    families: dict[int, set[str]] = {}
    for told in causes:
        if told["family"] >= 0:
            families.setdefault(told["family"], set()).add(told["cluster_id"])

    assert sum(told["family"] >= 0 for told in causes) > RECORDS / 6
    assert sum(len(found) > 1 for found in families.values()) > 50
    assert len(set().union(*families.values())) == sum(map(len, families.values()))


def test_the_customer_declaration_knows_every_column(folder: Path) -> None:
    rows = records_of(pq.read_table(folder / "records.parquet"), entity_types()["customer"], {}, None)

    claimed = {column for columns in rows.columns.values() for column in columns}
    wanted = set(pq.read_schema(folder / "records.parquet").names) - {"id", "source"}
    assert wanted <= claimed
