"""`mdm match` writes the same bytes wherever the work is done: in memory, through the disk, on Spark."""

import csv
import importlib.util
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mdm.cli.main import app
from mdm.demo.firm import build_firm
from tests.typer_runs import run_json

SPARK = importlib.util.find_spec("pyspark") is not None


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Write a demo firm's customers, a file for each system: CSV without ids, and JSON lines with an `id` in front."""
    folder = tmp_path_factory.mktemp("files")
    records = [record for record in build_firm(seed=7, scale=0.2).records if record.entity_type == "customer"]
    instances = sorted({record.instance for record in records})
    paths = []
    for place, instance in enumerate(instances):
        rows = [record.fields for record in records if record.instance == instance]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        if place % 2:
            path = folder / f"{instance}.jsonl"
            lines = [json.dumps({"id": f"J{number}", **row}) for number, row in enumerate(rows)]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        else:
            path = folder / f"{instance}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(rows)
        paths.append(str(path))
    return paths


def test_a_small_limit_sends_files_through_the_disk_with_the_same_answer(files: list[str], tmp_path: Path) -> None:
    near, far, roomy = (tmp_path / name for name in ("near.csv", "far.csv", "roomy.csv"))
    pairs = {name: tmp_path / f"{name}.parquet" for name in ("near", "far")}

    at_once = run_json(app, "match", *files, "--entity", "customer", "--out", str(near), "--pairs", str(pairs["near"]))
    spilled = run_json(
        app, "match", *files, "-e", "customer", "--out", str(far), "--pairs", str(pairs["far"]), "--memory-max", "200KB"
    )
    kept = run_json(app, "match", *files, "-e", "customer", "--out", str(roomy), "--memory-max", "8GB")

    assert far.read_bytes() == near.read_bytes() == roomy.read_bytes()
    assert pq.read_table(pairs["far"]).equals(pq.read_table(pairs["near"]))
    assert spilled["backend"] == "duckdb"
    assert "backend" not in kept
    for name in ("records", "clusters", "pairs", "refused_by_conflicts", "model_version", "columns", "oversize_blocks"):
        assert spilled[name] == at_once[name], name


def test_an_id_that_comes_twice_is_refused_through_the_disk_as_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,name\n1,Acme\n2,Bolton\n1,Castellane\n", encoding="utf-8")
    options = ["match", str(file), "-e", "customer", "--out", str(tmp_path / "out.csv")]

    refused = [CliRunner().invoke(app, [*options, "--backend", backend]) for backend in ("memory", "duckdb")]

    assert [run.exit_code for run in refused] == [refused[0].exit_code] * 2
    assert refused[0].exit_code != 0
    assert refused[0].stderr == refused[1].stderr
    assert "the id '1' comes twice" in refused[0].stderr


@pytest.mark.parametrize("size", ["four", "0", "-1GB", "1XB"])
def test_an_amount_of_memory_that_is_none_is_refused(size: str, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        app, ["match", "a.csv", "-e", "customer", "-o", str(tmp_path / "o.csv"), "--memory-max", size]
    )

    assert run.exit_code == 2
    assert "write 4GB or 500MB" in run.stderr


@pytest.mark.skipif(not SPARK, reason="the extra `spark` is not installed")
@pytest.mark.soak
def test_spark_writes_what_memory_writes(files: list[str], tmp_path: Path) -> None:
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"

    at_once = run_json(app, "match", *files, "-e", "customer", "--out", str(near))
    spread = run_json(
        app, "match", *files, "-e", "customer", "--out", str(far), "--backend", "spark", "--master", "local[2]"
    )

    assert far.read_bytes() == near.read_bytes()
    for name in ("records", "clusters", "pairs", "refused_by_conflicts", "model_version", "oversize_blocks"):
        assert spread[name] == at_once[name], name


def test_of_several_files_the_column_beside_the_id_is_kept(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"id,name\n1,Quarrenden {name} Ltd\n", encoding="utf-8")
    out = tmp_path / "out.csv"

    run_json(app, "match", str(tmp_path / "a.csv"), str(tmp_path / "b.csv"), "-e", "customer", "--out", str(out))

    with out.open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["Quarrenden a Ltd", "Quarrenden b Ltd"]
