"""`mdm match` on generated B2B sets from ten thousand records to millions: quality at one line, seconds, peak memory.

    python benchmarks/bench_b2b.py --sizes 10000,100000,1000000,5000000

Sets are made once and kept under build/b2b. Each size is matched by a process of its own, raw file to clusters, and
evaluated against the truth. Figures go to benchmarks/results/b2b.json, a plot of seconds against records to b2b.svg.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from harness import MDM, Line, show
from plot import log_plot

from matching.evaluate import Evaluation, evaluate_labels

HERE = Path(__file__).parent
F1_MIN = 0.95
LARGEST_FACTOR_MAX = 2.0
SECONDS_MAX = {1_000_000: 25.0, 5_000_000: 150.0}
MEMORY_GB_MAX = {1_000_000: 3.0, 5_000_000: 9.0}


def made(size: int, profile: str, seed: int) -> Path:
    """Give the folder of a set, made now if it is not there."""
    folder = HERE.parent / "build" / "b2b" / f"{profile}-{seed}-{size}"
    if not (folder / "causes.parquet").exists():
        partial = folder.with_suffix(".partial")
        options = ["--records", str(size), "--seed", str(seed), "--profile", profile, "--out", str(partial)]
        subprocess.run([sys.executable, str(HERE / "b2b" / "generate.py"), *options], check=True)
        partial.rename(folder)
    return folder


def matched(folder: Path) -> dict[str, Any]:
    """Match a set in a process of its own: its report, with its seconds and memory as the system counted them."""
    out, report = folder / "clusters.csv", folder / "report.json"
    command = [*MDM, "match", str(folder / "records.parquet"), "--entity", "customer"]
    started = time.perf_counter()
    child = subprocess.Popen([*command, "--out", str(out), "--report", str(report)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"mdm match failed on {folder} with code {child.returncode}")
    told = json.loads(report.read_text(encoding="utf-8"))
    return {
        "stages": {stage["name"]: stage["seconds"] for stage in told["stages"]},
        "counts": {stage["name"]: stage["count"] for stage in told["stages"]},
        "line": told["line"],
        "model_version": told["model_version"],
        "threads": told["threads"],
        "wall_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "peak_gb": round(used.ru_maxrss / 1024**2, 3),
    }


def evaluated(folder: Path) -> Evaluation:
    """Compare the clusters found with the true ones."""
    wanted = pa_csv.ConvertOptions(
        include_columns=["id", "cluster_id"], column_types={"id": pa.string(), "cluster_id": pa.string()}
    )
    found = pa_csv.read_csv(folder / "clusters.csv", convert_options=wanted)
    truth = pq.read_table(folder / "truth.parquet")
    if not found["id"].equals(truth["id"].cast(found["id"].type)):
        raise SystemExit(f"{folder}: the clusters are not those of the set's records, in their order")
    return evaluate_labels(_labels(found["cluster_id"]), _labels(truth["cluster_id"]))


def _labels(column: pa.ChunkedArray) -> np.ndarray:
    return column.combine_chunks().dictionary_encode().indices.to_numpy()


def measure(size: int, profile: str, seed: int) -> dict[str, Any]:
    """Match and evaluate one size, print its figures and give them."""
    folder = made(size, profile, seed)
    run = matched(folder)
    found = evaluated(folder)
    factor = found.largest_cluster / found.largest_true_cluster
    largest = f"largest cluster {found.largest_cluster} / true {found.largest_true_cluster}"
    lines = [
        Line("F1", 100 * found.f1, "%", 100 * F1_MIN, at_most=False),
        Line("precision", 100 * found.precision, "%"),
        Line("recall", 100 * found.recall, "%"),
        Line(largest, factor, "", LARGEST_FACTOR_MAX),
        *(Line(f"{name} ({run['counts'][name]:,})", seconds, "s") for name, seconds in run["stages"].items()),
        Line("raw file to clusters, wall", run["wall_s"], "s", SECONDS_MAX.get(size)),
        Line("raw file to clusters, processor", run["cpu_s"], "s"),
        Line("peak memory", run["peak_gb"], "GB", MEMORY_GB_MAX.get(size)),
    ]
    show(f"mdm match, {size:,} B2B records, profile {profile}, line {run['line']['match_bits']} bits", lines)
    return {"records": size, "profile": profile, "seed": seed, **run, "evaluation": asdict(found)}


def drawn(runs: list[dict[str, Any]]) -> str:
    """Plot the seconds of all and of each stage against records."""
    lines = {
        "all, wall": [(run["records"], run["wall_s"]) for run in runs],
        "all, processor": [(run["records"], run["cpu_s"]) for run in runs],
    }
    for stage in runs[-1]["stages"]:
        lines[stage] = [(run["records"], max(run["stages"].get(stage, 0.0), 0.001)) for run in runs]
    return log_plot("mdm match on generated B2B records (dashed: in proportion)", ("records", "seconds"), lines)


def main() -> None:
    """Read the command line, measure every size, write figures and plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--profile", default="first")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for the figures; left out, they are only printed")
    chosen = parser.parse_args()
    runs = [measure(int(size), chosen.profile, chosen.seed) for size in chosen.sizes.split(",")]
    if chosen.out:
        name = "b2b" if chosen.profile == "first" else f"b2b-{chosen.profile}"
        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / f"{name}.json").write_text(json.dumps(runs, indent=2) + "\n", encoding="utf-8")
        if len(runs) > 1:
            (chosen.out / f"{name}.svg").write_text(drawn(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
