"""GoldenMatch as its documentation advises: the records as they are, and nothing else.

Way "zero-config" is `dedupe_df(records)`: its controller chooses columns, normalisation, blocking and thresholds. Where
it refuses to go on because it is not confident, it is run again as its message and its own benchmark allow, with
`allow_red_config`. Way "probabilistic" is `auto_configure_probabilistic_df`, the Fellegi-Sunter configuration that its
own comparison with Splink uses. Switches of the environment are those of that comparison. Other cuts are whole runs
with another threshold, as its own sweep does, since it clusters while it scores.
"""

import os
from importlib.metadata import version
from typing import Any

os.environ |= {"GOLDENMATCH_AUTOCONFIG_MEMORY": "0", "GOLDENMATCH_PLANNER_BUCKET": "1", "GOLDEN_DIAGNOSTICS": "0"}

# It reads the environment when it is imported.
import goldenmatch
import pyarrow as pa
from goldenmatch.core.autoconfig import auto_configure_probabilistic_df
from goldenmatch.core.autoconfig_controller import ControllerNotConfidentError
from match_task import Answer, GivesUp, Task, play

CUTS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)


def match(task: Task, answer: Answer) -> None:
    """Configure and dedupe as shipped, then again at other thresholds."""
    answer.setting("version", version("goldenmatch"))
    with answer.stage("read"):
        table = task.records().select(list(task.kinds))
    if task.way == "zero-config":
        with answer.stage("configure and dedupe"):
            found = _zero_config(table, answer)
        configured = found.config
    else:
        with answer.stage("configure"):
            configured = auto_configure_probabilistic_df(table)
        with answer.stage("dedupe"):
            found = goldenmatch.dedupe_df(table, config=configured)
    answer.setting("configuration", _told(configured))
    answer.setting("thresholds", {str(k): str(v) for k, v in (found.stats.get("fs_link_thresholds") or {}).items()})
    answer.partition(_cut_of(configured), _clusters(found, table.num_rows), is_default=True)
    for cut in CUTS:
        changed = configured.model_copy(deep=True)
        for key in changed.get_matchkeys():
            if key.type == "probabilistic":
                key.link_threshold = cut
            elif key.type == "weighted":
                key.threshold = cut
        answer.partition(cut, _clusters(goldenmatch.dedupe_df(table, config=changed), table.num_rows))


def _zero_config(table: pa.Table, answer: Answer) -> Any:
    try:
        return goldenmatch.dedupe_df(table)
    except ControllerNotConfidentError as error:
        answer.setting("not confident", str(error))
        try:
            return goldenmatch.dedupe_df(table, allow_red_config=True, confidence_required=False)
        except ControllerNotConfidentError as again:
            raise GivesUp(str(again)) from again


def _told(configured: Any) -> dict[str, Any]:
    """Say what it chose: match keys with their fields and thresholds, and blocking."""
    keys = [
        {
            "type": key.type,
            "threshold": key.link_threshold if key.type == "probabilistic" else key.threshold,
            "fields": {one.field: one.scorer for one in key.fields},
        }
        for key in configured.get_matchkeys()
    ]
    blocking = configured.blocking
    passes = (list(blocking.passes or []) or list(blocking.keys or [])) if blocking else []
    return {"keys": keys, "blocking": [{"fields": one.fields, "transforms": one.transforms} for one in passes]}


def _cut_of(configured: Any) -> float:
    found = [key.link_threshold if key.type == "probabilistic" else key.threshold for key in configured.get_matchkeys()]
    return next((float(one) for one in found if one is not None), 0.0)


def _clusters(found: Any, count: int) -> list[int]:
    labels = list(range(count))
    for cluster in found.clusters.values():
        members = sorted(cluster["members"])
        for member in members:
            labels[member] = members[0]
    return labels


if __name__ == "__main__":
    play(match)
