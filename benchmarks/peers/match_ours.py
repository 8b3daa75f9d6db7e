"""Ours, on the shipped customer or the example models: no labels and no setting besides the names of columns.

Way "raw" is what `mdm match` does. Way "prepared" starts from compare forms, as the other systems do there.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
from match_task import Answer, Task, play

from matching.bulk import match_forms
from matching.cluster import Edges, propose
from matching.learning import taught_by_identifiers
from matching.online import conflict_signatures
from matching.standardise import standardise
from mdm.entities.service import entity_type, entity_type_of_file
from mdm.jobs.columnar import records_of
from mdm.jobs.files_asked import FilesAsked
from mdm.jobs.match_files import match_files
from mdm.sources.files_columns import read_columns

CUTS_BITS = (-2.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0)


def match(task: Task, answer: Answer) -> None:
    """Match at the model's line, then at others: pairs below the review line are not kept."""
    chosen = entity_type_of_file(Path(task.options["model"])) if "model" in task.options else entity_type("customer")
    maps = {name.removeprefix("map:"): part for name, part in task.options.items() if name.startswith("map:")}
    path, threads = Path(task.options["file"]), int(task.options["threads"])
    answer.setting("version", version("mdm-hub"))
    answer.setting("model", chosen.model.version)
    if task.way == "raw":
        with answer.stage("match"):
            found = match_files(
                FilesAsked([path], chosen, maps), threads=threads, listen=(lambda _: None, lambda _: None)
            )
        result, records, stages = found.result, found.rows.records, found.stages
        forms = standardise(records, chosen.model)
    else:
        records = records_of(read_columns([path]), chosen, maps).records
        forms = standardise(records, chosen.model)
        with answer.stage("match"):
            result = match_forms(forms, chosen.model, teach=taught_by_identifiers, threads=threads)
        stages = result.stages
    for stage in stages:
        answer.part(stage.name, stage.seconds)
    answer.setting("candidates", next(stage.count for stage in stages if stage.name == "block"))
    answer.setting("refused_by_conflicts", result.refused_count)
    place = _places(task, records.keys, records.sources)
    answer.partition(chosen.model.match_bits, result.labels[place].tolist(), is_default=True)
    signatures = conflict_signatures(forms, chosen.model) if chosen.model.vetoes else None
    for cut in CUTS_BITS:
        kept = result.bits >= cut
        edges = Edges(result.left[kept], result.right[kept], result.bits[kept])
        labels = propose(forms.keys, edges, signatures=signatures)
        answer.partition(cut, labels[place].tolist())


def _places(task: Task, keys: tuple[str, ...], sources: tuple[str, ...]) -> np.ndarray:
    """Find where each record of the task, in its order, stands in the records as read."""
    table = task.records()
    ids = table["id"].to_pylist()
    named = table["source"].to_pylist() if "source" in table.column_names and any(sources) else [""] * len(ids)
    position = {key: place for place, key in enumerate(keys)}
    wanted = [f"{source}/{id_}" if source else id_ for source, id_ in zip(named, ids, strict=True)]
    return pa.array([position[key] for key in wanted], pa.int64()).to_numpy()


if __name__ == "__main__":
    play(match)
