"""What every system is given when sets are matched side by side, and how it answers.

A task is a folder: `task.json`, the records as Parquet (strings, null for no value), the true clusters for systems that
learn from labels. An answer is `answer.json` with the stages and, for each cut that was tried, a file with the cluster
of every record, in the order of the records. The answer is rewritten after each cut, so that what was done before a
time limit counts. This file runs in the environment of every system and uses the standard library and pyarrow only.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet


class GivesUp(Exception):
    """The system refused to go on; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Task:
    """Say what is to be matched.

    family           company, person or publication
    kinds            column → what it holds: company_name, street, phone, …; every other column is for the eye only
    between_sources  two catalogues without duplicates of their own: only pairs across them count
    way              which of the system's ways is asked for
    """

    folder: Path
    family: str
    kinds: Mapping[str, str]
    between_sources: bool
    way: str
    options: Mapping[str, str]

    def records(self) -> pa.Table:
        """Read the records: the column id, the column source, and what they hold."""
        return parquet.read_table(self.folder / "records.parquet")

    def truth(self) -> list[int]:
        """Read the true cluster of each record; only systems that learn from labels may ask, and say how many."""
        return parquet.read_table(self.folder / "truth.parquet")["cluster"].to_pylist()

    def columns(self, *kinds: str) -> list[str]:
        """Name the columns of some kinds, in the order of the kinds."""
        return [column for kind in kinds for column, given in self.kinds.items() if given == kind]


@dataclass(slots=True)
class Answer:
    """Collect what a system did."""

    folder: Path
    told: dict[str, Any] = field(default_factory=lambda: {"stages": [], "cuts": [], "settings": {}})

    @contextmanager
    def stage(self, name: str, *, counts: bool = True) -> Iterator[None]:
        """Time one stage, in wall seconds and in processor seconds of the process and its children.

        counts  whether the stage is part of the total; what a person does once, or what was done before, is not
        """
        wall, processor = time.perf_counter(), _cpu_s()
        yield
        taken = {"wall_s": time.perf_counter() - wall, "cpu_s": _cpu_s() - processor}
        self.told["stages"].append({"name": name, "counts": counts, **{k: round(v, 3) for k, v in taken.items()}})
        self._write()

    def part(self, name: str, wall_s: float) -> None:
        """Keep what a system itself says a part of the last stage took; parts are not counted again."""
        self.told["stages"].append({"name": f"of it {name}", "counts": False, "wall_s": round(wall_s, 3), "cpu_s": 0.0})

    def setting(self, name: str, value: Any) -> None:
        """Keep how the system was set up, or what it said, for the reader of the results."""
        self.told["settings"][name] = value
        self._write()

    def partition(self, cut: float, clusters: Sequence[int], *, is_default: bool = False, note: str = "") -> None:
        """Keep the clusters of all records at one cut; the default one is what the system advises."""
        name = f"cut-{len(self.told['cuts'])}.parquet"
        parquet.write_table(pa.table({"cluster": pa.array(clusters, pa.int64())}), self.folder / name)
        if is_default:
            self.told["peak_mb"] = _peak_mb()
        self.told["cuts"].append({"cut": cut, "file": name, "is_default": is_default, "note": note})
        self._write()

    def _write(self) -> None:
        fresh = self.folder / "answer.new"
        fresh.write_text(json.dumps(self.told), encoding="utf-8")
        fresh.replace(self.folder / "answer.json")


def play(match: Callable[[Task, Answer], None]) -> None:
    """Do the task in the folder that the command names."""
    folder = Path(sys.argv[1])
    document = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    answer = Answer(folder)
    try:
        match(Task(folder=folder, **document), answer)
    except GivesUp as error:
        answer.setting("refused", str(error))
        sys.exit(3)


def components(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Give the connected component of each of so many records, for systems that leave clusters to the caller."""
    parent = list(range(count))

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for left, right in pairs:
        first, second = root(left), root(right)
        if first != second:
            parent[max(first, second)] = min(first, second)
    return [root(record) for record in range(count)]


def _peak_mb() -> float:
    """Read the most memory this process has held; the kernel's figure for a child would begin at its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
