"""The review card: one call reads a question and all around it in one snapshot, and puts it together as one value.

Nothing is locked and nothing is written. The merged record is worked out by the functions of the merge itself;
`dealing.rehearse_card` carries the merge out and takes it back, children included, for whoever wants to see that.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
from sqlalchemy import Connection

from matching.explain import Explanation, explain
from matching.online import judge
from matching.records import Forms
from mdm import clock
from mdm.db.transaction import plan_once, snapshot
from mdm.decisions.closure import require_consistent
from mdm.decisions.model import Verdict
from mdm.errors import DecisionContradicts, HubError
from mdm.hub import Hub
from mdm.ids import GoldenId, RecordId, ReviewId
from mdm.resolution.service import standardise
from mdm.sources.model import SourceRecord
from mdm.stewardship.card_cells import Held, Known, as_records, forms_told, held_by_pair, held_by_record
from mdm.stewardship.card_columns import children_of, columns_of_cluster, columns_of_pair
from mdm.stewardship.card_consequences import Effects, Refusal, Risk
from mdm.stewardship.card_graph import Network, graph_of
from mdm.stewardship.card_model import (
    CHAIN_MAX,
    COLUMNS_MAX,
    EDGES_MAX,
    After,
    Card,
    Choice,
    Evidence,
    Row,
    probability,
)
from mdm.stewardship.card_reading import Reading, read
from mdm.stewardship.card_result import Outcome, Pool, effects_of, outcome_of, results_now, results_of, targets_told
from mdm.stewardship.card_risks import Merging, relations_of, risks_of, suggestion
from mdm.stewardship.card_rows import Table, parts_of, rows_of
from mdm.stewardship.carrying import why_second_person
from mdm.stewardship.sides import ties

NO_CHOICES: Final[Mapping[str, Choice]] = MappingProxyType({})


def review_card(hub: Hub, review_id: ReviewId, *, choices: Mapping[str, Choice] = NO_CHOICES, who: str) -> Card:
    """Put together everything that a steward looks at to answer a review; raises ReviewUnknown.

    choices  by attribute, what the merged record shall show instead of what the rules choose
    who      in whose name they are made, and for whom the need of a second person is told
    """
    with snapshot(hub.engine) as connection:
        plan_once(connection)
        reading = read_card(hub, connection, review_id)
    return card_of(reading, choices, who=who)


def read_card(hub: Hub, connection: Connection, review_id: ReviewId) -> Reading:
    """Read what a card is made of, for a caller that reads more in the same snapshot; raises ReviewUnknown.

    The statement is large: the caller sees to it that it is not planned anew each time (`plan_once`).
    """
    reading = read(hub, connection, review_id)
    if not reading.is_pair or reading.review.state != "open":
        return reading
    waits_because = why_second_person(
        reading.entity_type.reviews.approval,
        joins_established=all(one.is_established for one in reading.goldens.values()),
        published=reading.published,
    )
    return replace(reading, waits_because=waits_because)


def chosen_values(reading: Reading, choices: Mapping[str, Choice], who: str) -> Outcome | None:
    """Work out what a merge shows with a steward's choices; None where no merge is asked or too much hangs on it."""
    sides = tuple(reading.versions[id_] for id_ in reading.golden_ids if id_ in reading.versions)
    if not reading.is_pair or not reading.is_whole or len(sides) < 2:
        return None
    anchor = reading.records[min(reading.records)]
    pool = Pool(reading.entity_type, reading.contributions, reading.overrides, anchor, clock.now(), who)
    return outcome_of(pool, sides, choices)


def risks_now(reading: Reading) -> tuple[Risk, ...]:
    """List the reasons why a merge is dangerous, as the card tells them."""
    if not reading.is_pair:
        return ()
    every = [*reading.records.values()]
    forms = standardise(reading.entity_type, every)
    return _risks(reading, forms, {record.id: place for place, record in enumerate(every)})


def card_of(reading: Reading, choices: Mapping[str, Choice] = NO_CHOICES, *, who: str) -> Card:
    """Put a card together from what was read; asks the database nothing."""
    review, entity_type = reading.review, reading.entity_type
    known = Known(reading.records, reading.instances, reading.names)
    placed = _placed(reading)
    held = _held(reading, known, placed)
    texts, places = as_records(entity_type, list(zip(placed, held, strict=True)))
    rest = [record for record in reading.records.values() if record not in placed]
    forms = standardise(entity_type, [*placed, *rest, *texts])
    explanation = _explained(reading, placed, forms)
    outcome = chosen_values(reading, choices, who) if review.state == "open" else None
    rows = rows_of(
        Table(
            entity_type,
            known,
            held,
            forms,
            forms_told(entity_type, forms, len(placed) + len(rest), places),
            explanation,
            reading.is_pair,
            _results(reading, outcome, known),
        )
    )
    evidence = _evidence(reading, explanation, rows)
    positions = {record.id: place for place, record in enumerate((*placed, *rest))}
    children = children_of(reading)
    risks = _risks(reading, forms, positions)
    relations = relations_of(entity_type) if reading.is_pair else ()
    return Card(
        review=review,
        entity_title=entity_type.title,
        asking="one_or_two" if reading.is_pair else "belongs_together",
        evidence=evidence,
        columns=columns_of_pair(reading, placed)
        if reading.is_pair
        else columns_of_cluster(reading, placed, _bits_to_first(reading, forms, len(placed))),
        columns_left_out=0 if reading.is_pair else len(reading.order) - len(placed),
        rows=rows,
        graph=graph_of(_network(reading)),
        effects=_effects(reading, outcome),
        children=children,
        refusal=_refusal(reading),
        faults=outcome.faults if outcome is not None else (),
        risks=risks,
        suggested=suggestion(review, evidence, risks, relations),
        relations=relations,
        comments=reading.comments,
        answers=reading.answers,
        history=reading.happened,
        waits_because=reading.waits_because,
        is_complete=reading.is_whole and len(reading.edges) < EDGES_MAX,
        values=outcome.values if outcome is not None else {},
    )


def _placed(reading: Reading) -> tuple[SourceRecord, ...]:
    """Give the record behind each column: the two that are asked about of a pair, up to the bound of a cluster."""
    if reading.is_pair:
        return tuple(reading.records[id_] for id_ in reading.review.pair if id_ in reading.records)
    return tuple(reading.records[id_] for id_ in reading.order[:COLUMNS_MAX] if id_ in reading.records)


def _held(reading: Reading, known: Known, placed: tuple[SourceRecord, ...]) -> list[dict[str, Held]]:
    if reading.is_pair:
        fellows = {
            golden_id: [one for one in reading.records.values() if one.golden_id == golden_id]
            for golden_id in reading.golden_ids
        }
        return [
            held_by_pair(
                reading.entity_type,
                known,
                record,
                reading.versions[GoldenId(str(record.golden_id))],
                fellows[GoldenId(str(record.golden_id))],
            )
            for record in placed
        ]
    values = {one.record_id: one.values for one in reading.contributions}
    every = list(values.values())
    return [held_by_record(reading.entity_type, known, record, values[record.id], every) for record in placed]


def _explained(reading: Reading, placed: tuple[SourceRecord, ...], forms: Forms) -> Explanation | None:
    """Compare the two records that are asked about; they stand first."""
    if reading.review.pair != tuple(record.id for record in placed[:2]):
        return None
    return explain(forms, 0, 1, reading.entity_type.model)


def _evidence(reading: Reading, explanation: Explanation | None, rows: tuple[Row, ...]) -> Evidence | None:
    if explanation is None:
        return None
    model = reading.entity_type.model
    return Evidence(
        prior_bits=explanation.prior_bits,
        bits=explanation.bits,
        probability=probability(explanation.bits),
        verdict=explanation.verdict,
        rules=explanation.rules,
        is_vetoed=explanation.is_conflict,
        match_bits=model.match_bits,
        review_bits=model.review_bits,
        left_key=reading.review.left_key,
        right_key=reading.review.right_key,
        parts=parts_of(rows),
    )


def _results(reading: Reading, outcome: Outcome | None, known: Known) -> Mapping[str, After]:
    if outcome is not None:
        sides = tuple(reading.versions[id_] for id_ in reading.golden_ids)
        return results_of(reading.entity_type, outcome, sides, known)
    if len(reading.golden_ids) == 1 and reading.golden_ids[0] in reading.versions:
        return results_now(reading.entity_type, reading.versions[reading.golden_ids[0]], known)
    return {}


def _bits_to_first(reading: Reading, forms: Forms, count: int) -> list[float]:
    if count < 2:
        return []
    judged = judge(forms, np.zeros(count - 1, np.int32), np.arange(1, count, dtype=np.int32), reading.entity_type.model)
    return [float(bits) for bits in judged.bits]


def _network(reading: Reading) -> Network:
    side: dict[RecordId, int] = {id_: column for column, members in enumerate(reading.sides) for id_ in members}
    asked = frozenset(reading.review.pair)
    return Network(reading.entity_type, reading.records, side, reading.order, asked, reading.edges, reading.decisions)


def _risks(reading: Reading, forms: Forms, positions: Mapping[RecordId, int]) -> tuple[Risk, ...]:
    if not reading.is_pair:
        return ()
    left, right = reading.sides
    return risks_of(
        Merging(
            review=reading.review,
            entity_type=reading.entity_type,
            sides=(left, right),
            goldens=tuple(reading.goldens.values()),
            decisions=reading.decisions,
            nearby=reading.nearby,
            forms=forms,
            positions=positions,
            children=children_of(reading),
        )
    )


def _refusal(reading: Reading) -> Refusal | None:
    """Say what the merge would be refused with: decisions that part the two, by the check that the merge itself makes.

    A contradiction between a source and a steward is answered by giving way to the source, which ends those.
    """
    if not reading.is_pair or reading.review.kind == "contradiction":
        return None
    every = frozenset().union(*reading.sides)
    try:
        # What somebody was unsure of within the two is answered by the merge.
        unsure = {one.id for one in reading.around if one.verdict.judgement == "unsure" and every.issuperset(one.pair)}
        standing = [one for one in reading.around if one.id not in unsure]
        require_consistent(standing, ties(standing, every), Verdict("same", "asked"))
    except DecisionContradicts as error:
        return refusal_of(error)
    return None


def refusal_of(error: HubError) -> Refusal:
    """Tell an error as the reason of a refusal."""
    chain = tuple(getattr(error, "chain", ()))[:CHAIN_MAX]
    return Refusal(error.code, error.message, error.remedy, chain)


def _effects(reading: Reading, outcome: Outcome | None) -> Effects | None:
    if outcome is None or reading.survivor_id is None:
        return None
    survivor_id = reading.survivor_id
    absorbed_id = next(id_ for id_ in reading.golden_ids if id_ != survivor_id)
    sides = tuple(reading.versions[id_] for id_ in reading.golden_ids)
    systems = effects_of(outcome, sides, [*reading.records.values()], (survivor_id, absorbed_id))
    titled = tuple(
        replace(one, title=reading.instances[one.source].title) if one.source in reading.instances else one
        for one in systems
    )
    moving = {row.entity_type for row in reading.children if row.parent_id == absorbed_id}
    return Effects(survivor_id, absorbed_id, titled, targets_told(reading.targets, reading.entity_type.name, moving))
