"""A match model from what stewards decided, from a file of pairs, or from identifiers: a version, never activated.

The learners are pure and live in matching; here is what they are given: the hub's records, the pairs, and the model
that holds, with what is common among all records. What they found out is kept with the version.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from sqlalchemy import Connection

from matching.model import MatchModel
from matching.records import Forms
from mdm.db.transaction import snapshot
from mdm.entities.model import EntityType
from mdm.errors import InputInvalid, SourceKeyInvalid
from mdm.hub import Hub
from mdm.ids import RecordId
from mdm.modelling.editing import with_model
from mdm.modelling.evidence import Decided, Gathered, gather, gather_decided, placed
from mdm.modelling.model import ModelVersion, Provenance
from mdm.modelling.population import Tell, read_forms, with_present_population
from mdm.modelling.service import keep_model
from mdm.resolution.service import standardise
from mdm.sources import store as sources_store
from mdm.sources.files import FileFault, read_file
from mdm.sources.model import SourceKey

RECORDS_MAX: Final = 50_000  # chosen: a minute of learning
LABELS_MIN: Final = 20  # chosen: fewer say nothing of any level
_SAME: Final = frozenset({"same", "match", "1", "true", "yes", "duplicate"})
_DIFFERENT: Final = frozenset({"different", "related", "non_match", "distinct", "0", "false", "no"})
_LEFT: Final = ("left", "left_key", "first", "key_1", "id_1")
_RIGHT: Final = ("right", "right_key", "second", "key_2", "id_2")
_LABEL: Final = ("judgement", "label", "same", "is_same", "match")


class Learning(Protocol):
    """What a learner gives: a model, and a report that can be written as JSON."""

    @property
    def model(self) -> MatchModel:
        """Give the learnt model."""

    @property
    def report(self) -> Mapping[str, Any]:
        """Tell what was found out."""


class Learner(Protocol):
    """What learns: from decided pairs among the records, or from what identifiers say of them where there are none."""

    def __call__(self, forms: Forms, model: MatchModel, decided: Decided | None, /) -> Learning:
        """Learn under a model that has its population."""


Teacher = Literal["decisions", "labels", "identifiers"]
LabelledKeys = tuple[SourceKey, SourceKey, bool]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a model shall be learnt from, and why.

    teacher  decisions of stewards, labels of a file, or identifiers that records share
    labels   pairs of the file
    """

    entity_type: str
    reason: str
    teacher: Teacher = "decisions"
    labels: tuple[LabelledKeys, ...] = ()


@dataclass(frozen=True, slots=True)
class Means:
    """What a training may use: records that it compares, processes that standardise; and who hears how far it is."""

    records_max: int = RECORDS_MAX
    processes: int = 1
    tell: Tell = lambda _: None


def train(hub: Hub, lesson: Lesson, learner: Learner, *, who: str, means: Means | None = None) -> ModelVersion:
    """Learn a model and keep it as a version; raises InputInvalid when there is too little to learn from."""
    entity_type = hub.entity_type(lesson.entity_type)
    means = means or Means()
    with snapshot(hub.engine) as connection:
        decided = _decided(connection, entity_type, lesson) if lesson.teacher != "identifiers" else None
        if decided is not None:
            _require_enough(decided, lesson)
        every = read_forms(connection, entity_type, processes=means.processes, tell=means.tell)
        gathered = gather(connection, entity_type, limit=means.records_max) if decided is not None else None
    model = with_present_population(every, entity_type.model, tell=means.tell)
    means.tell("learning what agreement is worth")
    if decided is None or gathered is None:
        learnt = learner(every, model, None)
    else:
        records, together = _together(gathered, decided)
        learnt = learner(standardise(entity_type, records), model, together)
    made = with_model(entity_type, learnt.model)
    reason = lesson.reason.strip() or _told(lesson, decided, len(every.keys))
    source = Provenance(lesson.teacher, reason, entity_type.model.version, learnt.report)
    return keep_model(hub, made, source, who=who)


def read_labels(path: Path) -> tuple[LabelledKeys, ...]:
    """Read pairs of printed source keys with a judgement from CSV, JSONL, Parquet or XLSX.

    Raises InputInvalid that names the first row which cannot be read.
    """
    found = []
    for number, row in read_file(path):
        if isinstance(row, FileFault):
            raise InputInvalid(f"{path}: {row.message}", remedy=row.remedy, field="labels")
        cells = {re.sub(r"\W+", "_", name.strip().lower()): str(value).strip() for name, value in row.items()}
        left, right, label = (_cell(cells, names) for names in (_LEFT, _RIGHT, _LABEL))
        if left is None or right is None or label is None:
            raise InputInvalid(
                f"{path}:{number}: a row needs the columns left, right and judgement",
                remedy="write two printed source keys and same or different",
                field="labels",
            )
        if label.lower() not in _SAME | _DIFFERENT:
            raise InputInvalid(
                f"{path}:{number}: {label!r} is no judgement", remedy="write same or different", field="labels"
            )
        try:
            found.append((SourceKey.parse(left), SourceKey.parse(right), label.lower() in _SAME))
        except SourceKeyInvalid as error:
            raise InputInvalid(f"{path}:{number}: {error.message}", remedy=error.remedy, field="labels") from error
    return tuple(found)


def _told(lesson: Lesson, decided: Decided | None, records_count: int) -> str:
    if decided is None:
        return f"learnt from the identifiers of {records_count:,} records"
    return f"learnt from {len(decided.left)} {lesson.teacher}"


def _cell(cells: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((cells[name] for name in names if cells.get(name)), None)


def _decided(connection: Connection, entity_type: EntityType, lesson: Lesson) -> Decided:
    if lesson.teacher == "decisions":
        return gather_decided(connection, entity_type)
    keys = {key for left, right, _ in lesson.labels for key in (left, right)}
    heads = {
        key: RecordId(head.id)
        for key, head in sources_store.select_heads(connection, sorted(keys, key=str)).items()
        if head.entity_type == entity_type.name and head.state == "active"
    }
    records = sources_store.select_records(connection, heads.values())
    pairs = [
        (heads[left], heads[right], same) for left, right, same in lesson.labels if left in heads and right in heads
    ]
    return placed(records, pairs)


def _require_enough(decided: Decided, lesson: Lesson) -> None:
    same = int(decided.is_same.sum())
    if len(decided.left) < LABELS_MIN or not 0 < same < len(decided.left):
        what = "stewards' decisions" if lesson.teacher == "decisions" else "labels on records of the hub"
        raise InputInvalid(
            f"{len(decided.left)} {what} about {lesson.entity_type}, {same} of them `same`, are too few to learn from",
            remedy=f"decide about {LABELS_MIN} pairs or more, of both kinds; the queue puts the most useful first."
            " Identifiers teach without any (--identifiers)",
            field="labels",
        )


def _together(gathered: Gathered, decided: Decided) -> tuple[tuple[Any, ...], Decided]:
    """Put the records of decided pairs among those gathered, and name the pairs by their places there."""
    by_id = {record.id: record for record in (*gathered.records, *decided.records)}
    pairs: Iterable[tuple[RecordId, RecordId, bool]] = (
        (decided.records[left].id, decided.records[right].id, bool(same))
        for left, right, same in zip(decided.left, decided.right, np.asarray(decided.is_same), strict=True)
    )
    together = placed(list(by_id.values()), pairs)
    return together.records, together
