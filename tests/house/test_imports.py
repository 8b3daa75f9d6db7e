"""The import contracts of pyproject.toml find a breach of each kind, and nothing in a tree without one.

A small tree with the project's package names is planted in a temporary folder and judged by the real contracts.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CONFIGURATION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = [contract["name"] for contract in CONFIGURATION["tool"]["importlinter"]["contracts"]]

RIGHT = {
    "api/app.py": "import fastapi, mdm.errors, mdm.sources.service",
    "matching/block.py": "import json, numpy",
    "matching/standardise/names.py": "import anyascii",
    "matching/backends/duckdb.py": "import duckdb",
    "matching/backends/reference.py": "import recordlinkage",
    "matching/train.py": "import sklearn",
    "mdm/errors/__init__.py": "",
    "mdm/access/people_store.py": "",
    "mdm/access/rates_store.py": "",
    "mdm/access/sessions_store.py": "",
    "mdm/activation/reservations_store.py": "",
    "mdm/clock.py": "import sqlalchemy",
    "mdm/connectors/kafka.py": "import confluent_kafka",
    "mdm/connectors/nats.py": "import nats",
    "mdm/connectors/rabbitmq.py": "import aio_pika, aiormq",
    "mdm/decisions/answers_store.py": "",
    "mdm/decisions/overrides_store.py": "",
    "mdm/decisions/waiting_store.py": "",
    "mdm/entities/rules_store.py": "",
    "mdm/decisions/queues_store.py": "",
    "mdm/decisions/reviews_store.py": "",
    "mdm/delivery/external_ids_store.py": "",
    "mdm/delivery/freezing_store.py": "",
    "mdm/delivery/lanes_store.py": "",
    "mdm/delivery/ledger_store.py": "",
    "mdm/delivery/orders_store.py": "",
    "mdm/delivery/overview_store.py": "",
    "mdm/delivery/standings_store.py": "",
    "mdm/delivery/tellings_store.py": "",
    "mdm/delivery/written_for_store.py": "",
    "mdm/history/past_store.py": "",
    "mdm/demo/firm.py": "import mdm.pipeline",
    "mdm/entities/model.py": "import mdm.errors, mdm.clock, matching.block",
    "mdm/identity/crosswalk_store.py": "",
    "mdm/identity/events_store.py": "",
    "mdm/identity/model.py": "",
    "mdm/pipeline.py": "import mdm.sources.service",
    "mdm/publishing/snapshot_store.py": "",
    "mdm/publishing/views_store.py": "",
    "mdm/sources/counts_store.py": "",
    "mdm/sources/exceptions_store.py": "",
    "mdm/sources/references_store.py": "",
    "mdm/stewardship/card_store.py": "",
    "mdm/stewardship/desk_store.py": "",
    "mdm/stewardship/record_store.py": "",
    "mdm/sources/files_parquet.py": "import duckdb",
    "mdm/sources/service.py": "import mdm.sources.store",
    "mdm/sources/store.py": "import mdm.sources.tables",
    "mdm/sources/tables.py": "import sqlalchemy",
    "mdm/survivorship/search_store.py": "",
    "migrations/env.py": "import alembic, mdm.sources.tables",
}
# The contract that must break, where the breach is planted, and the breach.
BREACHES = [
    ("The skin imports the hub", "mdm/worker.py", "import api.app"),
    ("The skin imports the hub", "matching/block.py", "import mdm.errors"),
    ("The skin knows services", "api/app.py", "import mdm.sources.store"),
    ("The skin knows services", "api/app.py", "import mdm.access.people_store"),
    ("The skin knows services", "api/app.py", "import mdm.identity.events_store"),
    ("The skin knows services", "api/app.py", "import matching.block"),
    ("The rooms of the hub", "mdm/sources/service.py", "import mdm.identity.model"),
    ("The rooms of the hub", "mdm/connectors/salesforce.py", "import mdm.demo.firm"),
    ("Inside a room", "mdm/sources/store.py", "import mdm.sources.service"),
    ("Pure files", "mdm/identity/model.py", "import sqlalchemy"),
    ("Pure files", "mdm/identity/plan.py", "import mdm.sources.store"),
    ("Matching needs", "matching/compare.py", "import pandas"),
    ("Matching needs", "matching/compare.py", "import anyascii"),
    ("Standardising needs", "matching/standardise/phones.py", "import sqlalchemy"),
    ("Trainers and backends", "matching/train.py", "import torch"),
    ("DuckDB and Spark", "mdm/pipeline.py", "import duckdb"),
    ("The clients of brokers", "mdm/pipeline.py", "import nats"),
    ("recordlinkage, pandas", "mdm/pipeline.py", "import pandas"),
]


def judged(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Plant the files in `root` and return what import-linter says of each contract; "" for one that is kept."""
    house = root / "tests" / "house"
    house.mkdir(parents=True)
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    shutil.copy(REPOSITORY / "tests" / "house" / "contracts.py", house)
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text + "\n", encoding="utf-8")
    for folder in {place.parent for place in root.rglob("*.py")} | {root / "mdm"}:
        (folder / "__init__.py").touch()
    program = "from importlinter.cli import lint_imports_command as run; run()"
    ended = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = {contract: verdict_on(contract, ended.stdout) for contract in CONTRACTS}
    assert ended.returncode == int(any(verdicts.values())), ended.stdout + ended.stderr
    return verdicts


def verdict_on(contract: str, printed: str) -> str:
    """Cut the section of one contract out of the report; fails when it was not judged at all."""
    if f"{contract} KEPT" in printed:
        return ""
    assert f"{contract} BROKEN" in printed, printed
    section = printed.split(f"\n{contract}\n{'-' * len(contract)}\n", 1)[1]
    return section.split("\n---", 1)[0]


@pytest.fixture(scope="module")
def verdicts_on_breaches(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    planted = {**RIGHT, "mdm/attic/store.py": ""}
    for _, place, breach in BREACHES:
        planted[place] = f"{planted.get(place, '')}\n{breach}"
    return judged(tmp_path_factory.mktemp("breaches"), planted)


def test_the_skin_is_kept_from_every_store() -> None:
    contracts = CONFIGURATION["tool"]["importlinter"]["contracts"]
    (skin,) = [one for one in contracts if one["name"].startswith("The skin knows services")]

    stores = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in REPOSITORY.glob("mdm/*/*_store.py")
    }

    assert stores - set(skin["forbidden_modules"]) == set()


def test_a_tree_without_a_breach_keeps_every_contract(tmp_path: Path) -> None:
    assert judged(tmp_path, RIGHT) == dict.fromkeys(CONTRACTS, "")


@pytest.mark.parametrize(("contract", "place", "breach"), BREACHES)
def test_a_planted_breach_breaks_its_contract_and_is_named(
    contract: str, place: str, breach: str, verdicts_on_breaches: Mapping[str, str]
) -> None:
    module = place.removesuffix(".py").replace("/", ".")
    imported = breach.removeprefix("import ")

    said = "".join(verdict for name, verdict in verdicts_on_breaches.items() if name.startswith(contract))

    assert any(module in line and imported in line for line in said.splitlines()), said


def test_a_room_that_no_layer_names_is_found(verdicts_on_breaches: Mapping[str, str]) -> None:
    assert "mdm.attic" in verdicts_on_breaches["The rooms of the hub, from the top down"]


def test_every_contract_has_a_planted_breach() -> None:
    starts = {start for start, *_ in BREACHES}

    assert all(any(contract.startswith(start) for start in starts) for contract in CONTRACTS)
