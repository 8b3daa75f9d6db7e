"""dedupe as its documentation and examples advise: learnt from 500 labels that it asks for itself.

The texts are cleaned as its "CSV example" cleans them. In place of a person at the console, the truth answers the pairs
that the active learner is most uncertain of, ten at a time, a page as it were. Sets of one source are partitioned, two
catalogues are joined one to one. 0.5 is its default threshold.
"""

import random
import re
import unicodedata
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import dedupe
import dedupe.variables
import numpy as np
import pyarrow as pa
from match_task import Answer, Task, components, play

LABELS, A_PAGE = 500, 10
ADVISED_CUT = 0.5
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
SHORT = frozenset(
    {"house_number", "postal_code", "uk_postal_code", "tax_id", "identifier", "phone", "date", "plain_date"}
)
CODES = frozenset({"year", "category", "domain"})

Row = Mapping[str, Any]


def match(task: Task, answer: Answer) -> None:
    """Label, train, partition or join at the default threshold, then at others."""
    answer.setting("version", version("dedupe"))
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 -- dedupe draws from this one
    with answer.stage("read"):
        table = task.records()
        rows = _rows(task, table)
    left, right = _sides(task, table, rows)
    variables = _variables(task, table)
    matcher = dedupe.RecordLink(variables) if task.between_sources else dedupe.Dedupe(variables)
    with answer.stage("prepare training"):
        matcher.prepare_training(*((left, right) if task.between_sources else (rows,)))
    with answer.stage("label"):
        _label(matcher, answer)
    with answer.stage("train"):
        matcher.train()
    with answer.stage("pairs and scores"):
        scores = matcher.score(matcher.pairs(left, right) if task.between_sources else matcher.pairs(rows))
    kept = np.array(scores)  # clustering uses the scores up
    for cut in (ADVISED_CUT, *CUTS):
        is_first = not answer.told["cuts"]
        if is_first:
            with answer.stage("cluster"):
                clusters = _clusters(matcher, kept, cut, len(rows), is_link=task.between_sources)
        else:
            clusters = _clusters(matcher, kept, cut, len(rows), is_link=task.between_sources)
        answer.partition(cut, clusters, is_default=is_first)


def _rows(task: Task, table: pa.Table) -> dict[int, Row]:
    truth = task.truth()
    columns = {name: [_clean(value) for value in table[name].to_pylist()] for name in task.kinds}
    return {
        place: {"true cluster": truth[place], **{name: values[place] for name, values in columns.items()}}
        for place in range(table.num_rows)
    }


def _clean(value: str | None) -> str | None:
    """Clean a text as the example does: plain letters, no punctuation that parts nothing, lower case, None if empty."""
    if value is None:
        return None
    plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    plain = re.sub("[\n/:]", " ", re.sub("[-',]", "", plain))
    return re.sub(" +", " ", plain).strip().strip("\"'").lower().strip() or None


def _sides(task: Task, table: pa.Table, rows: Mapping[int, Row]) -> tuple[dict[int, Row], dict[int, Row]]:
    if not task.between_sources:
        return dict(rows), {}
    sources = table["source"].to_pylist()
    first = sources[0]
    return (
        {place: row for place, row in rows.items() if sources[place] == first},
        {place: row for place, row in rows.items() if sources[place] != first},
    )


def _variables(task: Task, table: pa.Table) -> list[Any]:
    found: list[Any] = []
    for name, kind in task.kinds.items():
        options = {"has_missing": table[name].null_count > 0}
        if kind in SHORT or kind in CODES:
            found.append(dedupe.variables.ShortString(name, **options))
        else:
            found.append(dedupe.variables.String(name, **options))
    return found


def _label(matcher: Any, answer: Answer) -> None:
    given = {"match": 0, "distinct": 0}
    while sum(given.values()) < LABELS:
        page: dict[str, list[Any]] = {"match": [], "distinct": []}
        for _ in range(A_PAGE):
            try:
                (pair,) = matcher.uncertain_pairs()
            except IndexError:
                break
            label = "match" if pair[0]["true cluster"] == pair[1]["true cluster"] else "distinct"
            page[label].append(pair)
        if not any(page.values()):
            break
        matcher.mark_pairs(page)
        for label, pairs in page.items():
            given[label] += len(pairs)
    answer.setting("labels", given)


def _clusters(matcher: Any, scores: Any, cut: float, count: int, *, is_link: bool) -> list[int]:
    if len(scores) == 0:
        return list(range(count))
    if is_link:
        return components(count, [tuple(pair) for pair, _ in matcher.one_to_one(scores, cut)])
    labels = list(range(count))
    for members, _ in matcher.cluster(np.array(scores), cut):
        for member in members:
            labels[int(member)] = int(members[0])
    return labels


if __name__ == "__main__":
    play(match)
