"""Matching in memory, through DuckDB and on Spark `local[2]`: same answers, seconds and processor time of each.

`bench_spark.py [FILE]` takes the records of a file, left out: 20,000 generated customers.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_match import write_customers
from harness import TICKS_PER_S, Line, show

from mdm.entities.service import entity_types
from mdm.jobs import match_files, match_spark, match_spilled
from mdm.jobs.files_asked import FilesAsked

SIZE = 20_000
THREADS = 2
MEMORY_BYTES = 2 << 30
Listen = tuple[Callable[[Any], None], Callable[[Any], None]]


def tree_cpu_s() -> float:
    """Read the processor time that this process and all its descendants, living and reaped, have used."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            used[int(folder.name)] = sum(map(int, fields[11:15]))
    total, waiting = 0, [os.getpid()]
    while waiting:
        member = waiting.pop()
        total += used.get(member, 0)
        waiting += children.get(member, [])
    return total / TICKS_PER_S


def measured(name: str, file: Path, folder: Path, run: Callable[[Path, Path, Listen], None]) -> list[Line]:
    """Run one way of matching and give its figures."""
    stages: list[Any] = []
    out = folder / f"{name}.csv"
    started, cpu = time.perf_counter(), tree_cpu_s()
    run(file, out, (stages.append, lambda _: None))
    seconds, cpu = time.perf_counter() - started, tree_cpu_s() - cpu
    lines = [Line(f"{name}: {stage.name} ({stage.count:,})", stage.seconds, "s") for stage in stages]
    return [
        *lines,
        Line(f"{name}: all, reading and writing too", seconds, "s"),
        Line(f"{name}: processor time", cpu, "s"),
    ]


def in_memory(file: Path, out: Path, listen: Listen) -> None:
    """Match all at once."""
    customer = entity_types()["customer"]
    found = match_files.match_files(FilesAsked([file], customer), threads=THREADS, listen=listen)
    match_files.write_clusters(out, found)


def through_disk(file: Path, out: Path, listen: Listen) -> None:
    """Match part by part through DuckDB."""
    customer, bounds = entity_types()["customer"], (MEMORY_BYTES, THREADS)
    with match_spilled.match_spilled(FilesAsked([file], customer), bounds=bounds, listen=listen) as found:
        match_spilled.write_clusters(out, found)


def on_spark(file: Path, out: Path, listen: Listen) -> None:
    """Match on a Spark of two workers, its start included."""
    customer, place = entity_types()["customer"], ("local[2]", None)
    with match_spark.match_on_spark(FilesAsked([str(file)], customer), place=place, listen=listen) as found:
        match_spark.write_clusters(out, found)


def main() -> None:
    """Measure and print; each way runs in a process of its own, so that its peak of memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="left out: customers are generated")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        file = asked.file or Path(folder) / "customers.csv"
        if not file.exists():
            write_customers(file, SIZE)
        answers = []
        for name, run in (("memory", in_memory), ("duckdb", through_disk), ("spark", on_spark)):
            if (child := os.fork()) == 0:
                lines = measured(name, file, Path(folder), run)
                peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                show(f"{name}, {file.name}", [*lines, Line(f"{name}: peak memory of this process", peak_mb, "MB")])
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(child, 0)
            answers.append((Path(folder) / f"{name}.csv").read_bytes())
        same = all(answer == answers[0] for answer in answers)
        print(f"The clusters of all three are {'the same, byte for byte' if same else 'NOT the same'}.")


if __name__ == "__main__":
    main()
