"""The protocol of the speed runs: a system loads, says "ready", and answers each line "merge N undo M dissolve K"."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import TypeVar

Subject = TypeVar("Subject")


def serve(act: Callable[[str, int], Sequence[float]]) -> None:
    """Answer every line of stdin: how long each act took, wall and processor seconds in all, and the median in wall."""
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        words = line.split()
        told = {}
        for kind, count in zip(words[0::2], map(int, words[1::2]), strict=True):
            processor = time.process_time()
            taken = act(kind, count)
            told[kind] = {"count": count, "wall_s": sum(taken), "cpu_s": time.process_time() - processor}
        print(json.dumps(told), flush=True)


def timed(acts: Iterable[Callable[[], object]]) -> list[float]:
    """Do each act and return its wall seconds."""
    taken = []
    for act in acts:
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return taken


def pairs(subjects: Sequence[Subject], seed: int) -> Iterator[tuple[Subject, Subject]]:
    """Give disjoint pairs in random order until all are used."""
    order = Random(seed).sample(subjects, len(subjects))
    return zip(order[0::2], order[1::2], strict=False)


def some(pairs_left: Iterator[tuple[Subject, Subject]], count: int) -> list[tuple[Subject, Subject]]:
    """Take the next pairs; fewer than asked is an error of the caller."""
    taken = list(islice(pairs_left, count))
    assert len(taken) == count, "all pairs are used: ask for fewer merges or more golden records"
    return taken
