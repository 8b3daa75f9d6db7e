"""`mdm evaluate`: how well clusters agree with the truth."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.options import AsJson


def evaluate(
    clusters: Annotated[Path, typer.Argument(help="What `mdm match` wrote: id, source, cluster_id.")],
    truth: Annotated[Path, typer.Argument(help="The truth: id and cluster_id, and source where ids repeat.")],
    between_sources: Annotated[
        bool, typer.Option("--between-sources", help="Count only pairs of different sources.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print pairwise precision, recall and F1, B-cubed, and the largest cluster, over the records in both files.

    Tells how many records of each file the other does not have, and warns when no pair can be judged.
    """
    from mdm.cli.output import print_facts, print_json, tell
    from mdm.jobs.match_files import evaluate_files, read_partition

    told = evaluate_files(read_partition(clusters), read_partition(truth), between_sources=between_sources)
    found = told.evaluation
    left_out = {"without_truth_count": told.without_truth_count, "not_found_count": told.not_found_count}
    if not found.predicted_pairs_count and not found.true_pairs_count:
        # A share of nothing counts as whole, which looks like a perfect answer.
        tell(
            "Warning: the records in both files make no pair, neither found nor true, so the figures say nothing; "
            "give a truth that holds more of the records"
        )
    if as_json:
        print_json({**asdict(found), **left_out})
        return
    print_facts(
        {
            "records": f"{found.records_count:,} in both files",
            "left out": f"{told.without_truth_count:,} of the clusters that the truth does not hold,"
            f" {told.not_found_count:,} of the truth that the clusters do not hold",
            "pairs found": f"{found.predicted_pairs_count:,}, {found.common_pairs_count:,} of them true",
            "true pairs": f"{found.true_pairs_count:,}",
            "precision": f"{found.precision:.4f}",
            "recall": f"{found.recall:.4f}",
            "F1": f"{found.f1:.4f}",
            "B-cubed precision": f"{found.bcubed_precision:.4f}",
            "B-cubed recall": f"{found.bcubed_recall:.4f}",
            "B-cubed F1": f"{found.bcubed_f1:.4f}",
            "clusters": f"{found.clusters_count:,}",
            "largest cluster": f"{found.largest_cluster:,} (true: {found.largest_true_cluster:,})",
        }
    )
