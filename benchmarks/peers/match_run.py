"""One run of one system on one set: a process of its own, watched, stopped at its limits, judged by our evaluator."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from environments import HERE, python_of
from pyarrow import parquet

from matching.evaluate import Evaluation, evaluate

OURS = "ours"
LOOK_S = 0.1
REFUSED = 3  # exit code of `match_task.play`
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, slots=True)
class Limits:
    """Bound one run: memory of the process and its children together, and time.

    minutes        until the default cut stands
    other_minutes  for looking at other cuts afterwards
    """

    memory_gb: float
    minutes: float
    other_minutes: float


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended (`done`, `out of memory`, `timed out`, `refused`, `failed`), its peak, what it said last."""

    outcome: str
    peak_mb: float
    said: str


def run(system: str, folder: Path, limits: Limits) -> dict[str, Any]:
    """Let a system do the task in a folder and say what came of it; figures only where the default cut stands."""
    python = sys.executable if system == OURS else python_of(system)
    ended = _watched([python, str(HERE / f"match_{system}.py"), str(folder)], folder, limits)
    told = _told(folder)
    found: dict[str, Any] = {"outcome": ended.outcome, "settings": told.get("settings", {})}
    counted = [stage for stage in told.get("stages", []) if stage["counts"]]
    found["stages"] = told.get("stages", [])
    if ended.outcome != "done":
        return found | {"said": ended.said}
    cuts = [cut | _judged(folder, cut["file"]) for cut in told["cuts"]]
    return found | {
        "said": ended.said,
        "seconds": round(sum(stage["wall_s"] for stage in counted), 2),
        "cpu_seconds": round(sum(stage["cpu_s"] for stage in counted), 2),
        "peak_mb": round(max(ended.peak_mb, told.get("peak_mb", 0.0))),
        "default": next(cut for cut in cuts if cut["is_default"]),
        "best": max(cuts, key=lambda cut: cut["f1"]),
        "cuts": [{name: cut[name] for name in ("cut", "note", "f1", "precision", "recall")} for cut in cuts],
    }


def _watched(command: Sequence[str], folder: Path, limits: Limits) -> Ended:
    """Run a command; its peak is the most that it and its children held before the default cut stood."""
    begun, peak_mb, stood, outcome = time.monotonic(), 0.0, 0.0, ""
    with (folder / "said.txt").open("wb") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, cwd=folder)
        while child.poll() is None:
            time.sleep(LOOK_S)
            minutes, stands = (time.monotonic() - begun) / 60, _stands(folder)
            stood = stood if stands else minutes
            used_mb = sum(map(_resident_mb, _family(child.pid)))
            peak_mb = peak_mb if stands else max(peak_mb, used_mb)
            if used_mb > limits.memory_gb * 1000:
                outcome = "out of memory"
            elif minutes > (stood + limits.other_minutes if stands else limits.minutes):
                outcome = "timed out"
            if outcome:
                for process_id in reversed(_family(child.pid)):
                    _end(process_id)
                child.wait()
    last = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    if _stands(folder):
        return Ended("done", peak_mb, f"other cuts: {outcome or last}" if child.returncode else "")
    if child.returncode == REFUSED:
        return Ended("refused", peak_mb, str(_told(folder)["settings"]["refused"]))
    return Ended(outcome or "failed", peak_mb, last)


def _told(folder: Path) -> dict[str, Any]:
    path = folder / "answer.json"
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return told


def _stands(folder: Path) -> bool:
    return any(cut["is_default"] for cut in _told(folder).get("cuts", []))


def _family(process_id: int) -> list[int]:
    """Give a process and all its descendants, parents first."""
    found = [process_id]
    for one in found:
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += map(int, thread.read_text(encoding="ascii").split())
            except OSError:
                continue
    return found


def _resident_mb(process_id: int) -> float:
    try:
        return int(Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]) * PAGE_MB
    except (OSError, IndexError):
        return 0.0


def _end(process_id: int) -> None:
    try:
        os.kill(process_id, 9)
    except ProcessLookupError:
        return


def _judged(folder: Path, name: str) -> dict[str, Any]:
    """Judge the clusters of one cut; between sources, only pairs across them count."""
    columns: Mapping[str, bool] = dict.fromkeys(parquet.read_schema(folder / "records.parquet").names, True)
    between = json.loads((folder / "task.json").read_text(encoding="utf-8"))["between_sources"]
    records = parquet.read_table(
        folder / "records.parquet", columns=["id", *(["source"] if "source" in columns else [])]
    )
    ids = records["id"].to_pylist()
    found: Evaluation = evaluate(
        dict(zip(ids, parquet.read_table(folder / name)["cluster"].to_pylist(), strict=True)),
        dict(zip(ids, parquet.read_table(folder / "truth.parquet")["cluster"].to_pylist(), strict=True)),
        sources=dict(zip(ids, records["source"].to_pylist(), strict=True)) if between else None,
    )
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(found).items()}
