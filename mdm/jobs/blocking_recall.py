"""Count what blocking finds in files whose truth is known, without a database."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from matching.recall import BlockingRecall, blocking_recall
from matching.standardise import standardise
from mdm.entities.model import EntityType
from mdm.errors import FileUnreadable
from mdm.jobs.match_files import Partition, mapped_rows
from mdm.sources.files import find_files
from mdm.sources.files_faults import OnFault


def blocking_of_files(
    patterns: Sequence[str | Path],
    entity_type: EntityType,
    truth: Partition,
    *,
    column_map: Mapping[str, str],
    threads: int = 1,
    on_fault: OnFault,
) -> BlockingRecall:
    """Count the true pairs that are candidates; a row that the truth does not name belongs to nobody.

    raises  InputInvalid for a column mapped by hand to what does not exist, FileUnreadable where no row is named
    """
    rows, _ = mapped_rows(find_files(patterns), entity_type, column_map, None, on_fault)
    with_source = any(truth.sources) and any(rows.records.sources)
    cluster_by_key = truth.by_key(truth.clusters, with_source=with_source)
    named = rows.records.keys if with_source else rows.ids
    if not cluster_by_key.keys() & set(named):
        raise FileUnreadable(
            str(truth.path), "names no row of the records", remedy="check that both have the same ids, and sources"
        )
    number_by_cluster: dict[str, int] = {}
    numbers = [
        number_by_cluster.setdefault(cluster_by_key.get(key, f"\0{place}"), len(number_by_cluster))
        for place, key in enumerate(named)
    ]
    forms = standardise(rows.records, entity_type.model, threads)
    return blocking_recall(forms, entity_type.model, np.array(numbers, dtype=np.int64), threads)
