"""Carry out what people decided in a review sheet, along the same path as answers given in bands.

Rows are taken in chunks, each its own transaction; rows that speak of the same golden records stay together, since an
answer moves the versions that its neighbours were written with. What cannot be taken is refused by name, the rest is
taken. A row that is carried out already, as it says, by the same person, is left: reading a file twice changes nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import networkx as nx

from mdm.db.transaction import reading
from mdm.decisions import answers_store, reviews_store
from mdm.decisions.review_model import Answer, Review
from mdm.errors import HubError, RiskUnconfirmed, Unavailable
from mdm.hub import Hub, Work, carry, rehearse
from mdm.ids import ReviewId, new_bulk_id
from mdm.jobs.review_sheet_model import RISKS, RowAnswer, RowResult, SheetReport
from mdm.jobs.review_sheet_reading import answers_of, read_rows
from mdm.stewardship.bands import Intended, answer_each, many_wait

LOOK_UP: Final = 1_000  # chosen: reviews that are looked up at once
WAITS: Final = "it waits for a second person"

Progress = Callable[[int, int], None]
Chunk = Sequence[RowAnswer]
Outcomes = dict[ReviewId, RowResult]


def read_sheet(
    hub: Hub,
    file: Path,
    *,
    who: str,
    dry_run: bool,
    entity_types: Collection[str] | None = None,
    progress: Progress = lambda _done, _all: None,
) -> SheetReport:
    """Read a sheet and answer its reviews, or only tell what would become of each row.

    entity_types  those whose reviews may be answered; others are as unknown as ones that never were. None: all
    progress      called after each chunk with how many answers are done with, and how many there are
    Raises FileUnreadable for a file that is no review sheet.
    """
    read = read_rows(file)
    known = _reviews(hub, [ReviewId(row.review_id) for row in read.rows if row.review_id], entity_types)
    asked, results = answers_of(read.rows, {id_: review.entity_type for id_, (review, _) in known.items()})
    fresh: list[RowAnswer] = []
    for one in asked:
        already = _already(one, *known[one.review_id], who=who)
        if already is None:
            fresh.append(one)
        else:
            results.append(already)
    done = 0
    for entity_type in sorted({known[one.review_id][0].entity_type for one in fresh}):
        alike = [one for one in fresh if known[one.review_id][0].entity_type == entity_type]
        waits_because = many_wait(hub.entity_type(entity_type), len(alike))
        act = partial(_take, hub, who=who, waits_because=waits_because, do=rehearse if dry_run else carry)
        for chunk in chunks(alike, hub.settings.chunk_records, most=hub.settings.reviews_bulk_max):
            results += act(chunk).values()
            done += len(chunk)
            progress(done, len(fresh))
    place = {(row.sheet, row.number): position for position, row in enumerate(read.rows)}
    results.sort(key=lambda one: place[one.row.sheet, one.row.number])
    return SheetReport(file.name, tuple(results), read.headings, dry_run)


def chunks(asked: Chunk, size: int, *, most: int) -> Iterator[list[RowAnswer]]:
    """Cut answers into chunks; those that share golden records, directly or through others, are in one up to `most`.

    What is beyond comes in the next one, where it is refused if the answers before it moved what it is about.
    """
    graph = nx.Graph()
    for one in asked:
        graph.add_node(one.review_id)
        graph.add_edges_from((one.review_id, golden_id) for golden_id in one.expected)
    component = {node: number for number, nodes in enumerate(nx.connected_components(graph)) for node in nodes}
    together: dict[int, list[RowAnswer]] = {}
    for one in asked:
        together.setdefault(component[one.review_id], []).append(one)
    chunk: list[RowAnswer] = []
    for group in together.values():
        if chunk and len(chunk) + len(group) > size:
            yield chunk
            chunk = []
        chunk = [*chunk, *group]
        while len(chunk) > max(most, size):
            yield chunk[:most]
            chunk = chunk[most:]
    if chunk:
        yield chunk


def _take(hub: Hub, chunk: Chunk, *, who: str, waits_because: str, do: Callable[..., Outcomes]) -> Outcomes:
    """Answer a chunk in one transaction; where something else than a refusal of one row stops it, one by one."""
    try:
        return do(hub, partial(_answer, chunk=chunk, waits_because=waits_because), who=who)
    except Unavailable:
        raise
    except HubError as error:
        if len(chunk) == 1:
            return {chunk[0].review_id: _refused(chunk[0], error.code, error.message)}
    found: Outcomes = {}
    for one in chunk:
        found |= _take(hub, [one], who=who, waits_because=waits_because, do=do)
    return found


def _answer(work: Work, *, chunk: Chunk, waits_because: str) -> Outcomes:
    intended = [Intended(one.review_id, one.expected, one.verdict, one.seen) for one in chunk]
    done = answer_each(work, intended, bulk_id=new_bulk_id(), waits_because=waits_because)
    standing = answers_store.select_last_answers(work.connection, [review.id for review in done.answered])
    found: Outcomes = {}
    for one in chunk:
        if left := done.left.get(one.review_id):
            more = f", under {RISKS}" if left.code == RiskUnconfirmed.code else ""
            found[one.review_id] = _refused(one, left.code, left.message + more)
        elif standing[one.review_id].state == "proposed":
            found[one.review_id] = RowResult(one.row, "waits", "", f"{WAITS}: {waits_because}".rstrip(": "))
        else:
            found[one.review_id] = RowResult(one.row, "answered")
    return found


def _refused(one: RowAnswer, code: str, message: str) -> RowResult:
    return RowResult(one.row, "refused", code, message)


def _already(one: RowAnswer, review: Review, answer: Answer | None, *, who: str) -> RowResult | None:
    """Tell that a row is carried out, or waits, as it says, by the same person; None when it still has to be taken."""
    if answer is None or answer.who != who or (review.state == "open" and answer.state != "proposed"):
        return None
    if (answer.verdict.judgement, answer.verdict.relation) != (one.verdict.judgement, one.verdict.relation):
        return None
    if answer.state == "proposed":
        return RowResult(one.row, "already", "", f"answered so before; {WAITS}")
    return RowResult(one.row, "already", "", "answered so before")


def _reviews(
    hub: Hub, review_ids: Sequence[ReviewId], entity_types: Collection[str] | None
) -> Mapping[ReviewId, tuple[Review, Answer | None]]:
    ids = list(dict.fromkeys(review_ids))
    found: dict[ReviewId, tuple[Review, Answer | None]] = {}
    with reading(hub.engine) as connection:
        for begin in range(0, len(ids), LOOK_UP):
            some = ids[begin : begin + LOOK_UP]
            answers = answers_store.select_last_answers(connection, some)
            shown = reviews_store.select_reviews_by_id(connection, some)
            found |= {
                id_: (review, answers.get(id_))
                for id_, review in shown.items()
                if entity_types is None or review.entity_type in entity_types
            }
    return found
