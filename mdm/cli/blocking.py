"""`mdm blocking`: how much of the truth the blocking rules find, and at what price."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mdm.cli.options import AsJson, Entity, Files, Maps, parse_maps


def blocking(
    files: Files,
    truth: Annotated[Path, typer.Option(help="The truth: id and cluster_id, and source where ids repeat.")],
    entity: Entity,
    maps: Maps = None,
    as_json: AsJson = False,
) -> None:
    """Print which share of the true pairs is compared at all, and what each blocking rule finds.

    A true pair that no rule finds is never matched, whatever its score would be; a rule with many candidates that finds
    little alone costs time.
    """
    from mdm.cli.output import print_facts, print_json, print_table, progress, tell
    from mdm.entities.service import entity_type
    from mdm.jobs.blocking_recall import blocking_of_files
    from mdm.jobs.match_files import read_partition
    from mdm.settings import load_settings

    faults: list[Any] = []
    chosen = entity_type(entity, load_settings().entities)
    with progress("block"):
        found = blocking_of_files(
            *(files, chosen, read_partition(truth)),
            column_map=parse_maps(maps),
            threads=len(os.sched_getaffinity(0)),
            on_fault=faults.append,
        )
    for fault in faults[:20]:
        tell(f"{fault.message}; {fault.remedy}")
    if as_json:
        print_json({**asdict(found), "recall": found.recall})
        return
    looked_at = "" if found.looked_at_count == found.true_pairs_count else f", {found.looked_at_count:,} looked at"
    print_facts(
        {
            "records": f"{found.records_count:,}",
            "true pairs": f"{found.true_pairs_count:,}{looked_at}",
            "of these compared": f"{found.found_count:,} ({found.recall:.2%})",
            "pairs compared": f"{found.candidates_count:,},"
            f" {found.candidates_count / max(1, found.records_count):.1f} a record",
        }
    )
    print_table(
        ("rule", "candidates", "true pairs", "by it alone"),
        [
            (rule.rule, f"{rule.candidates_count:,}", f"{rule.true_count:,}", f"{rule.only_count:,}")
            for rule in found.rules
        ],
    )
