"""Play the scenarios on GoldenMatch, nomenklatura and our hub, and keep the table in benchmarks/results.

Fails when our hub does not do in every scenario what a hub does.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from environments import HERE, OTHERS, PLACE, python_of

RESULTS = HERE.parent / "results"
OURS = "ours"
COMMAND = "python benchmarks/peers/compare.py"
SIGNS = {"holds": "✔ holds", "breaks": "✘ breaks", "no such operation": "– no such operation"}


def played(name: str, place: Path) -> dict[str, Any]:
    """Play everything on one system and return what its adapter printed."""
    python = sys.executable if name == OURS else python_of(name, place)
    answer = subprocess.run([python, HERE / f"play_{name}.py"], cwd=HERE, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


def table(systems: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> str:
    """Write the findings as Markdown, a row for each scenario."""
    names = [f"{one['system']} {one['version']}" for one in systems]
    lines = [
        "# What the hub and two others do with identity",
        "",
        f"Played on {about['date']}, {about['machine']}, Python {about['python']}, with `{about['command']}`.",
        "Every cell is what a run showed; `benchmarks/peers/README.md` tells how, and what each system was given.",
        "",
        f"| | given | a hub | {' | '.join(names)} |",
        f"|---|---|---|{'---|' * len(systems)}",
    ]
    for scenario in systems[0]["scenarios"]:
        cells = [_cell(one["findings"], scenario["id"]) for one in systems]
        lines.append(f"| {scenario['id']} | {scenario['given']} | {scenario['expected']} | {' | '.join(cells)} |")
    counts = [_counts(one["findings"]) for one in systems]
    lines.append(f"| | | | {' | '.join(counts)} |")
    return "\n".join(lines) + "\n"


def _cell(findings: Sequence[Mapping[str, str]], scenario: str) -> str:
    told = [one for one in findings if one["id"] == scenario]
    parts = [f"{one['way'] + ': ' if one['way'] else ''}**{SIGNS[one['outcome']]}**. {one['observed']}" for one in told]
    return "<br>".join(part.replace("|", "/") for part in parts)


def _counts(findings: Sequence[Mapping[str, str]]) -> str:
    """Count scenarios by their best way: a user would choose it."""
    best: dict[str, str] = {}
    for one in findings:
        order = list(SIGNS)
        known = best.get(one["id"], order[-1])
        best[one["id"]] = min(known, one["outcome"], key=order.index)
    return f"{sum(outcome == 'holds' for outcome in best.values())} of {len(best)} hold, by the better way"


def main() -> int:
    """Play, write the table, and say whether ours holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, default=PLACE, help="folder of the other systems' environments")
    parser.add_argument("--only", nargs="+", choices=(OURS, *OTHERS), help="play these and print; keep no table")
    options = parser.parse_args()
    systems = [played(name, options.environments) for name in options.only or (OURS, *OTHERS)]
    about = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "command": COMMAND,
    }
    written = table(systems, about)
    print(written)
    if not options.only:
        RESULTS.mkdir(exist_ok=True)
        kept = {**about, "systems": [{k: v for k, v in one.items() if k != "scenarios"} for one in systems]}
        document = {**kept, "scenarios": systems[0]["scenarios"]}
        (RESULTS / "peers.md").write_text(written, encoding="utf-8")
        (RESULTS / "peers.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    ours = [one for system in systems if system["system"] == "mdm-hub" for one in system["findings"]]
    failed = [one["id"] for one in ours if one["outcome"] != "holds"]
    if failed:
        print(f"Our hub does not hold in {', '.join(failed)}.", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
