"""Play every scenario on one system and print the findings as JSON: what each adapter does when it is run."""

import json
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict

from scenarios import SCENARIOS, Finding, Scenario, run
from system import System

Open = Callable[[str], AbstractContextManager[System]]


def play(name: str, version: str, fresh: Open, ways: Mapping[str, Sequence[str]]) -> None:
    """Play all scenarios, or those named on the command line, each in every way that the system has for it.

    fresh  opens an emptied system that goes a way; "" is its usual one
    ways   scenario id: the ways that differ in it
    """
    wanted = set(sys.argv[1:])
    findings = []
    for scenario in SCENARIOS:
        if wanted and scenario.id not in wanted:
            continue
        for way in ways.get(scenario.id, ("",)):
            finding = _played(scenario, fresh, way)
            print(f"{name} {scenario.id} {way}: {finding.outcome}: {finding.observed}", file=sys.stderr)
            findings.append({"id": scenario.id, "way": way, **asdict(finding)})
    rows = [{"id": one.id, "given": one.given, "expected": one.expected} for one in SCENARIOS]
    answer = {"system": name, "version": version, "python": platform.python_version()}
    print(json.dumps({**answer, "scenarios": rows, "findings": findings}))


def _played(scenario: Scenario, fresh: Open, way: str) -> Finding:
    with fresh(way) as system:
        return run(scenario, system)
