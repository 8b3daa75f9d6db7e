"""The results of side by side matching as Markdown: quality, then time and memory, a row for each run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Run = Mapping[str, Any]


def key_of(run: Run) -> tuple[str, str, str, str]:
    """Name a run: a later one of the same name takes its place."""
    return run["set"], run["columns"], run["system"], run["way"]


def written(runs: Sequence[Run], about: Mapping[str, str]) -> str:
    """Write all runs, sets in the order given."""
    lines = [
        "# The same sets, matched by ours and four others",
        "",
        f"{about['machine']}, Python {about['python']}, with `{about['command']}`; each run at most {about['limits']}.",
        "`benchmarks/peers/README.md` tells what each system was given and how it was set up,",
        "`docs/explanation/peers.md` what it means. F1, precision and recall count pairs after clustering",
        "(`matching.evaluate`). The default cut is the one the system advises; the best cut was chosen afterwards,",
        "with the truth at hand, among those tried. Systems with labels saw part of the truth. Seconds leave out what",
        "is done once by a person; *load* is how busy the machine was when a run began.",
    ]
    for name in dict.fromkeys(run["set"] for run in runs):
        lines += ["", *_of_set([run for run in runs if run["set"] == name])]
    return "\n".join(lines) + "\n"


def _of_set(runs: Sequence[Run]) -> Iterable[str]:
    first = runs[0]
    between = ", pairs between the two sources only" if first["between_sources"] else ""
    yield f"## {first['set']}: {first['records']:,} records, {first['true_pairs']:,} true pairs{between}"
    yield ""
    yield (
        "| columns | system | F1 | precision | recall | largest cluster (true) | best F1 (at) | seconds | processor s "
        "| peak MB | load |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for run in runs:
        yield _row(run)
    yield ""
    yield "<details><summary>Stages and commands</summary>"
    yield ""
    for run in runs:
        stages = ", ".join(
            f"{stage['name']} {stage['wall_s']:.2f}{'' if stage['counts'] else ' (not counted)'}"
            for stage in run["stages"]
        )
        yield f"- {run['columns']}, {_system(run)}: {stages or 'none finished'}. `{run['command']}`"
    yield ""
    yield "</details>"


def _row(run: Run) -> str:
    if run["outcome"] != "done":
        said = str(run["said"]).replace("|", "/")[:160]
        return f"| {run['columns']} | {_system(run)} | **{run['outcome']}** | | | {said} | | | | | {run['load']} |"
    default, best = run["default"], run["best"]
    at = best["note"] or f"{best['cut']:g}"
    cells = [
        run["columns"],
        _system(run),
        f"**{default['f1']:.3f}**",
        f"{default['precision']:.3f}",
        f"{default['recall']:.3f}",
        f"{default['largest_cluster']:,} ({default['largest_true_cluster']:,})",
        f"{best['f1']:.3f} ({at})",
        f"{run['seconds']:.1f}",
        f"{run['cpu_seconds']:.1f}" if run["cpu_seconds"] else "",
        f"{run['peak_mb']:,}",
        run["load"],
    ]
    return f"| {' | '.join(cells)} |"


def _system(run: Run) -> str:
    version = run["settings"].get("version", "")
    return " ".join(filter(None, (run["system"], version, f"({run['way']})" if run["way"] else "")))
