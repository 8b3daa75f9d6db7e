"""Match the same sets with our engine, Splink, GoldenMatch, dedupe and recordlinkage; keep the table in results/.

Every run is a process of its own in the environment of its system, within a limit of memory and time; what it does not
finish is a result. The same evaluator (`matching.evaluate`) judges all. Runs of an earlier call stay in the results
until their set, columns and way are run again, so that large sets can wait for a calm machine.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))

from match_run import OURS, Limits, run  # noqa: E402 -- scripts of the folder peers
from match_sets import MODELS, SETS, SMALL, Set, load, prepared, raw  # noqa: E402 -- as above
from match_table import key_of, written  # noqa: E402 -- as above

RESULTS = HERE / "results" / "match_peers"
SYSTEMS = {
    OURS: ("",),
    "splink": ("",),
    "goldenmatch": ("zero-config", "probabilistic"),
    "dedupe": ("500 labels",),
    "recordlinkage": ("logistic regression, 30 % of pairs",),
}
COLUMNS = ("raw", "prepared")
COMMAND = "python benchmarks/bench_peers.py"


def main() -> None:
    """Run what is asked for, keeping the results after each run."""
    options = _options()
    for name in options.sets:
        try:
            loaded = load(SETS[name])
        except FileNotFoundError as error:
            print(f"{name}: left out, as {error}", file=sys.stderr)
            continue
        for columns in options.columns:
            for found in _runs(SETS[name], loaded, columns, options):
                _keep(found, options)
                print(_shown(found), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=SMALL)
    parser.add_argument("--systems", nargs="+", choices=tuple(SYSTEMS), default=tuple(SYSTEMS))
    parser.add_argument("--columns", nargs="+", choices=COLUMNS, default=COLUMNS)
    parser.add_argument("--memory-gb", type=float, default=16.0)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument(
        "--other-minutes", type=float, default=20.0, help="to look at other cuts; 0: the default one only"
    )
    parser.add_argument(
        "--threads", type=int, default=os.cpu_count() or 1, help="of ours; the others take all there are"
    )
    parser.add_argument("--folder", type=Path, help="keep tasks and answers here, to look into")
    return parser.parse_args()


def _runs(
    chosen: Set, loaded: tuple[pa.Table, Mapping[str, str]], columns: str, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Lay a set out once, then run every system and way on it."""
    table, truth = loaded
    laid, kinds = (raw(chosen, table), dict(chosen.kinds)) if columns == "raw" else prepared(chosen, table)
    number: dict[str, int] = {}
    clusters = [number.setdefault(truth[id_], len(number)) for id_ in laid["id"].to_pylist()]
    sizes = pa.array(clusters).value_counts().field("counts").to_pylist() if clusters else []
    about = {
        "set": chosen.name,
        "columns": columns,
        "records": laid.num_rows,
        "between_sources": chosen.between_sources,
    }
    with tempfile.TemporaryDirectory(prefix="peers-") as scratch:
        place = options.folder or Path(scratch)
        for system in options.systems:
            for way in SYSTEMS[system]:
                folder = place / f"{chosen.name}-{columns}-{system}-{SYSTEMS[system].index(way)}"
                folder.mkdir(parents=True, exist_ok=True)
                for old in folder.iterdir():
                    old.unlink()
                parquet.write_table(laid, folder / "records.parquet")
                parquet.write_table(pa.table({"cluster": pa.array(clusters, pa.int64())}), folder / "truth.parquet")
                task = {"family": chosen.family, "kinds": kinds, "between_sources": chosen.between_sources}
                task |= {"way": way, "options": {"columns": columns}}
                if system == OURS:
                    csv.write_csv(raw(chosen, table), folder / "records.csv")
                    task |= {"way": columns, "options": _own_options(chosen, folder, options.threads)}
                (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
                load_before = f"{os.getloadavg()[0]:.1f}"
                found = run(system, folder, Limits(options.memory_gb, options.minutes, options.other_minutes))
                yield about | {
                    "system": system,
                    "way": way,
                    "true_pairs": _true_pairs(found, sizes),
                    "load": load_before,
                    "date": datetime.now(UTC).date().isoformat(),
                    "command": f"{COMMAND} --sets {chosen.name} --systems {system} --columns {columns}",
                    **found,
                }


def _own_options(chosen: Set, folder: Path, threads: int) -> dict[str, str]:
    told = {"file": str((folder / "records.csv").resolve()), "threads": str(threads)}
    told |= {f"map:{column}": attribute for column, attribute in chosen.maps.items()}
    return told if chosen.family == "company" else told | {"model": str(MODELS / f"{chosen.family}.yaml")}


def _true_pairs(found: Mapping[str, Any], sizes: list[int]) -> int:
    """Take the count of the evaluator, which knows of sources, else count it."""
    if "default" in found:
        return int(found["default"]["true_pairs_count"])
    return sum(size * (size - 1) // 2 for size in sizes)


def _keep(found: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Put a run among those of earlier calls, in the place of the one of its name."""
    path = RESULTS.with_suffix(".json")
    earlier = json.loads(path.read_text("utf-8"))["runs"] if path.exists() else ()
    kept = {key_of(one): one for one in (*earlier, found)}
    sets, columns, systems = [*SETS], [*COLUMNS], [*SYSTEMS]
    runs = sorted(
        kept.values(),
        key=lambda one: (sets.index(one["set"]), columns.index(one["columns"]), systems.index(one["system"])),
    )
    about = {
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "command": COMMAND,
        "limits": f"{options.memory_gb:g} GB and {options.minutes:g} minutes",
    }
    path.write_text(json.dumps({**about, "runs": runs}, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(written(runs, about), encoding="utf-8")


def _shown(found: Mapping[str, Any]) -> str:
    name = f"{found['set']:<18} {found['columns']:<9} {found['system']:<14} {found['way']:<14.14}"
    if found["outcome"] != "done":
        return f"{name} {found['outcome']}: {found['said']}"
    default, best = found["default"], found["best"]
    return (
        f"{name} F1 {default['f1']:.3f} (P {default['precision']:.3f} R {default['recall']:.3f}), "
        f"best {best['f1']:.3f} at {best['cut']:g} {best['note']}, "
        f"{found['seconds']:.1f} s, {found['cpu_seconds']:.1f} s processor, {found['peak_mb']:,} MB"
    )


if __name__ == "__main__":
    main()
