"""What one target's faults do to another: time from commit to receipt at one that is well, beside one that is not.

The processes are those of `bench_latency.py`. For each fault blocks take turns, A B B A and so on: in A a second
webhook is well, in B it has the fault. Each block has a second webhook of its own, told of everything before the block
counts, so that the two kinds differ by the fault alone, and what else the machine does hits both alike. Nor do a
block's first seconds: nothing was told while it was prepared, and a relay that was idle looks once a second. The ratio
of the two p99 comes with an interval: whole seconds are drawn again, since what happens within one belongs together.
"""

import argparse
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench_latency import HOOK, Receipts, Source, fill, send, share_of, wait_for, working
from harness import Line, hub_home, serving, show
from neighbour import ELSEWHERE, FAULTS, Neighbour

from mdm.connectors.signatures import make_secret

GOLDEN, CHANGE_MAX = 200, 1.10
SETTLE_S: Final = 3.0  # a worker notices a new address after a second; until then calls go to the old one
WARM_UP_S: Final = 2  # of a block, in which the relays come to their pace
DRAWS: Final = 1_000
CERTAINTY: Final = 0.95

Seconds = list[list[float]]
"""Milliseconds from commit to receipt, by the second in which they were committed."""


@dataclass
class Blocks:
    """What was seen of one fault: seconds of the blocks in which the neighbour was well, and in which it was not."""

    well: Seconds = field(default_factory=list)
    ill: Seconds = field(default_factory=list)

    def ratio(self) -> float:
        """Give the p99 beside the fault, of that without."""
        return _p99(self.ill) / _p99(self.well)

    def between(self, seed: int = 7) -> tuple[float, float]:
        """Give the interval in which the ratio lies with some certainty."""
        rnd = random.Random(seed)
        drawn = sorted(
            _p99(rnd.choices(self.ill, k=len(self.ill))) / _p99(rnd.choices(self.well, k=len(self.well)))
            for _ in range(DRAWS)
        )
        return share_of(drawn, (1 - CERTAINTY) / 2), share_of(drawn, (1 + CERTAINTY) / 2)


@dataclass
class Firm:
    """A hub with a target that is well, and the changes that are sent to it."""

    source: Source
    receipts: Receipts
    per_second: int
    seconds: int
    sent: int = 0

    def block(self, fault: str) -> Seconds:
        """Send changes at the pace beside a webhook that is well, or has a fault; it must have met it in the end."""
        neighbour = Neighbour()
        self._subscribe("ill", neighbour.url())
        wait_for(neighbour.told, GOLDEN)
        neighbour.fault = fault
        if fault in ELSEWHERE:
            self._subscribe("ill", neighbour.url(fault))
        time.sleep(SETTLE_S)
        changes = range(self.sent, self.sent + self.per_second * (WARM_UP_S + self.seconds))
        self.sent = changes.stop
        _, committed = send(self.source, GOLDEN, changes, self.per_second)
        wait_for(self.receipts.came, self.sent)
        standing = self.source.ask("GET", "/v1/targets/ill", None)
        if fault != "well" and not (standing["depth"]["failing"] if fault in ELSEWHERE else neighbour.struck):
            raise SystemExit(f"the neighbour never met its fault: {fault}")
        self.source.ask("DELETE", "/v1/targets/ill", None)
        neighbour.close()
        by_second: defaultdict[int, list[float]] = defaultdict(list)
        counted = {change: committed[change] for change in changes[self.per_second * WARM_UP_S :]}
        begun = min(counted.values())
        for change, at in counted.items():
            by_second[int(at - begun)].append((self.receipts.came[change] - at) * 1e3)
        return list(by_second.values())

    def well(self) -> None:
        """Subscribe the target that is measured."""
        self._subscribe("well", self.receipts.url)
        wait_for(self.receipts.first, GOLDEN)

    def _subscribe(self, name: str, url: str) -> None:
        hook = HOOK | {"target": name, "connection": {"url": url, "secret": "MDM_SECRET_HOOK"}}
        self.source.ask("PUT", f"/v1/targets/{name}", hook)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-second", type=int, default=50, help="changes a second")
    parser.add_argument("--seconds", type=int, default=15, help="for how long each block lasts")
    parser.add_argument("--pairs", type=int, default=2, help="pairs of blocks, without and with the fault")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="this one alone; repeat it")
    parser.add_argument("--json", type=Path, help="write what was found there as well")
    asked = parser.parse_args()
    os.environ |= {"MDM_SECRET_HOOK": make_secret(), "MDM_OUTGOING_NETWORKS": "127.0.0.0/8"}
    found: dict[str, Blocks] = {}
    with hub_home() as home, serving(home) as (_, address, token), working(home):
        firm = Firm(Source(address, token), Receipts(), asked.per_second, asked.seconds)
        fill(firm.source, GOLDEN)
        firm.well()
        firm.block("well")  # warms up, and does not count
        for fault in asked.fault or FAULTS:
            found[fault] = Blocks()
            for pair in range(asked.pairs):
                for now in ("well", fault) if pair % 2 == 0 else (fault, "well"):
                    (found[fault].well if now == "well" else found[fault].ill).extend(firm.block(now))
    show(
        f"Beside a target that fails; {asked.per_second} changes a second, {asked.pairs} pairs of {asked.seconds} s",
        [line for fault, blocks in found.items() for line in _lines(fault, blocks)],
    )
    if asked.json:
        asked.json.write_text(json.dumps(_told(found), indent=1), encoding="utf-8")


def _lines(fault: str, blocks: Blocks) -> Sequence[Line]:
    least, most = blocks.between()
    return (
        Line(f"{fault}: p99 while both are well", _p99(blocks.well), "ms"),
        Line(f"{fault}: p99 beside it", _p99(blocks.ill), "ms"),
        Line(f"{fault}: ratio, 95 % from {least:.2f} to {most:.2f}", blocks.ratio(), "times", CHANGE_MAX),
    )


def _told(found: Mapping[str, Blocks]) -> dict[str, dict[str, float | int]]:
    told: dict[str, dict[str, float | int]] = {}
    for fault, blocks in found.items():
        least, most = blocks.between()
        told[fault] = {
            "changes": sum(map(len, blocks.ill)),
            "p99_well_ms": _p99(blocks.well),
            "p99_ill_ms": _p99(blocks.ill),
            "ratio": blocks.ratio(),
            "ratio_least": least,
            "ratio_most": most,
        }
    return told


def _p99(seconds: Seconds) -> float:
    return share_of(sorted(one for second in seconds for one in second), 0.99)


if __name__ == "__main__":
    main()
