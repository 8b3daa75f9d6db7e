"""The review card: what it shows adds up and is what the hub would do. A shared code is 10 bits, an equal name 4."""

from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review
from mdm.entities.model import ReviewGuards, ReviewPolicy
from mdm.errors import ReviewUnknown
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.stewardship import answers, reviews
from mdm.stewardship.card import review_card
from mdm.stewardship.card_model import CHAIN_MAX, COLUMNS_MAX, NODES_MAX, TEXT_LENGTH_MAX, Card, Pick, Row, Typed
from mdm.stewardship.dealing import rehearse_card
from tests.hubs import delivery, golden_by_key, hub_state, statements
from tests.integration.stewardship.widgets import A, B, C, D, acknowledge, decide, send, the_review, with_policy

pytestmark = pytest.mark.db


def card_of(hub: Hub, review: Review | None = None, **choices: Any) -> Card:
    return review_card(hub, (review or the_review(hub)).id, choices=choices, who="ann")


def rows(card: Card) -> dict[str, Row]:
    return {row.attribute: row for row in card.rows}


def cell(card: Card, attribute: str, column: int) -> str:
    return ", ".join(one.text for one in rows(card)[attribute].cells[column].values)


def after(card: Card, attribute: str) -> str:
    result = rows(card)[attribute].result
    assert result is not None
    return ", ".join(one.text for one in result.values)


@pytest.fixture
def asking(hub: Hub) -> Hub:
    """Give one question: are A and B the same?"""
    send(hub, A, name="Red Co", note="from the east", at=1)
    send(hub, B, name="RED CO", codes=["x9"], note="from the west", at=2)
    return hub


def test_a_card_compares_two_golden_records_row_by_row(asking: Hub) -> None:
    card = card_of(asking)

    assert (card.asking, card.entity_title) == ("one_or_two", "Widget (hold)")
    assert [one.record_key for one in card.columns] == [card.review.left_key, card.review.right_key]
    assert [(row.attribute, row.is_evidence, row.verdict, row.bits) for row in card.rows] == [
        ("name", True, "same", 4.0),
        ("codes", True, "missing", None),
        ("note", False, "not_compared", None),
    ]
    assert {cell(card, "name", 0), cell(card, "name", 1)} == {"Red Co", "RED CO"}
    assert {one.forms[0].forms for one in (rows(card)["name"].cells[k].values[0] for k in (0, 1))} == {("red co",)}
    assert [part.attribute for part in card.evidence.parts] == ["name", "codes"] if card.evidence else False


def test_the_waterfall_adds_up_to_the_bits_of_the_review(asking: Hub) -> None:
    card = card_of(asking)

    assert card.evidence is not None
    assert [(row.before, row.after) for row in card.rows if row.is_evidence] == [(0.0, 4.0), (4.0, 4.0)]
    assert card.evidence.bits == card.review.bits == 4.0
    assert card.evidence.probability == 16 / 17  # odds of 2^4 to 1


def test_the_result_is_what_the_merge_gives(asking: Hub) -> None:
    card = card_of(asking)

    told = rehearse_card(asking, card.review.id, who="ann")

    assert card.effects is not None
    assert told.effect is not None
    merged = next(one.after for one in told.effect.goldens if one.after.golden_id == card.effects.survivor_id)
    assert {name: [one.text for one in row.result.values] for name, row in rows(card).items() if row.result} == {
        name: value if isinstance(value, list) else [value] for name, value in merged.values.items()
    }
    assert after(card, "note") == "from the west"  # the most recent
    assert rows(card)["note"].result.origin.source_key == B  # type: ignore[union-attr]
    assert sorted(rows(card)["note"].result.changes) == [False, True]  # type: ignore[union-attr]


def test_a_card_tells_each_system_what_changes(asking: Hub) -> None:
    card = card_of(asking)

    assert card.effects is not None
    (system,) = card.effects.systems
    changes = {one.source_key: set(one.changes) for one in system.records}
    assert changes == {A: {"name", "codes", "note"}, B: set()}  # B is the later one in all
    assert [one.new_id for one in system.records if one.golden_id == card.effects.absorbed_id] == [
        card.effects.survivor_id
    ]


def test_reading_a_card_changes_nothing(asking: Hub) -> None:
    before = hub_state(asking)

    card_of(asking, note=Typed("something else"))
    rehearse_card(asking, the_review(asking).id, choices={"note": Pick(0)}, who="ann")

    assert hub_state(asking) == before


def test_a_choice_shows_in_the_result_and_one_that_cannot_be_taken_is_told(asking: Hub) -> None:
    east = [one.record_key for one in card_of(asking).columns].index(A)

    card = card_of(asking, note=Pick(east), name=Typed("Red Company"), codes=Pick(7), colour=Typed("red"))

    assert (after(card, "note"), after(card, "name")) == ("from the east", "Red Company")
    assert card.values == {"note": "from the east", "name": "Red Company"}
    assert [(one.attribute, one.code) for one in card.faults] == [
        ("codes", "input_invalid"),
        ("colour", "attribute_unknown"),
    ]
    assert rows(card)["note"].result.is_chosen  # type: ignore[union-attr]
    assert rows(card)["note"].result.origin.override_by == "ann"  # type: ignore[union-attr]


def test_a_choice_that_the_rules_make_already_needs_no_override(asking: Hub) -> None:
    west = [one.record_key for one in card_of(asking).columns].index(B)

    assert card_of(asking, note=Pick(west)).values == {}


def test_a_member_whose_identifier_clashes_is_a_risk(hub: Hub) -> None:
    send(hub, A, name="red", codes=["c1"])
    send(hub, C, codes=["c1"], batch="15-048-3782", name="other")
    send(hub, B, name="red", codes=["c2"])
    send(hub, D, codes=["c2"], batch="00-136-8083", name="another")

    card = card_of(hub)

    assert [(one.kind, one.attribute) for one in card.risks] == [("identifiers_clash", "batch")]
    assert {card.risks[0].left, card.risks[0].right} == {("duns:150483782",), ("duns:001368083",)}
    assert card.suggested == "related"


def test_a_cannot_link_nearby_is_a_risk_with_its_proof(hub: Hub) -> None:
    for key in (A, B, C):
        send(hub, key, name="red")
    made = decide(hub, A, C, "different")
    review = next(one for one in reviews.list_reviews(hub) if {one.left_key, one.right_key} == {A, B})

    card = card_of(hub, review)

    assert [one.kind for one in card.risks] == ["cannot_link_nearby"]
    assert len(card.risks[0].chain) == 1 <= CHAIN_MAX
    assert made.id in card.risks[0].chain[0]


def test_what_somebody_was_unsure_of_is_no_refusal(asking: Hub) -> None:
    decide(asking, A, B, "unsure")

    card = card_of(asking, the_review(asking, "unsure"))

    assert (card.refusal, card.risks) == (None, ())
    assert [(one.judgement, one.who) for one in card.graph.links] == [("unsure", "ann")]


def test_notes_answers_and_history_stand_on_the_card(asking: Hub) -> None:
    review = the_review(asking)
    with asking.engine.begin() as connection:
        reviews.comment(connection, review.id, "they moved", who="bob")

    card = card_of(asking)

    assert [(one.who, one.comment) for one in card.comments] == [("bob", "they moved")]
    assert {one.kind for one in card.history} == {"ingest"}
    assert card.expected == review.versions


def test_a_closed_review_still_has_a_card_and_an_unknown_one_has_none(asking: Hub) -> None:
    review = the_review(asking)
    answers.answer_review(asking, review.id, Verdict("same", "seen"), who="ann")

    card = card_of(asking, review)

    assert (card.asking, card.review.state, card.effects) == ("belongs_together", "closed", None)
    assert [one.verdict.judgement for one in card.answers] == ["same"]
    with pytest.raises(ReviewUnknown):
        review_card(asking, ReviewId("rev_none"), who="ann")


def many_alike(hub: Hub, count: int) -> Card:
    """Give the card of one golden record of so many records, all with one code."""
    asking = with_policy(hub, ReviewPolicy(guards=ReviewGuards(records_max=2)))
    deliver(asking, [delivery(f"crm-east/Account:{n:02}", "widget_hold", codes=["c"]) for n in range(count)], who="t")
    return card_of(asking, the_review(asking, "large_cluster"))


@pytest.mark.parametrize(("count", "columns", "nodes"), [(3, 3, 3), (12, 12, 12), (45, COLUMNS_MAX, NODES_MAX)])
def test_a_cluster_has_a_column_for_each_record_up_to_a_bound(hub: Hub, count: int, columns: int, nodes: int) -> None:
    with statements(hub) as sent:
        card = many_alike(hub, count)
        sent.clear()
        card_of(hub, card.review)

    assert card.asking == "belongs_together"
    assert (len(card.columns), card.columns_left_out) == (columns, count - columns)
    assert (len(card.graph.nodes), card.graph.left_out) == (nodes, count - nodes)
    assert [row.cells[0].verdict for row in card.rows] == ["reference"]
    assert {one.verdict for row in card.rows for one in row.cells[1:]} == {"same"}
    assert {one.bits_to_first for one in card.columns[1:]} == {10.0}
    assert len(sent) <= 10, sent


def test_the_weakest_link_of_a_cluster_stands_first_after_what_is_asked(hub: Hub) -> None:
    asking = with_policy(hub, ReviewPolicy(guards=ReviewGuards(bridge_bits=12.0)))
    for key, name, codes in (
        (A, "red", ["c1"]),
        (B, "red", ["c1", "c3"]),
        (C, "blue", ["c2", "c3"]),
        (D, "blue", ["c2"]),
    ):
        send(asking, key, name=name, codes=codes)
    review = the_review(asking, "weak_bridge")

    card = card_of(asking, review)
    parted = rehearse_card(asking, review.id, who="ann")

    assert {one.record_key for one in card.columns[:2]} == {B, C}
    assert [(one.is_bridge, one.sides) for one in card.graph.edges if one.bits == 10.0] == [(True, (2, 2))]
    assert card.suggested == "merge"
    assert parted.effect is not None
    assert len(parted.effect.moved) == 2


HOSTILE = "\u202eevil\u2066\u200b <script>alert(1)</script> '\"&\ud7ff\ufdd0"


def test_hostile_texts_come_through_unchanged_and_bounded(hub: Hub) -> None:
    long = HOSTILE + "ß" * (TEXT_LENGTH_MAX - len(HOSTILE))  # the longest that a source may deliver
    send(hub, A, name=HOSTILE, note=long, codes=[f"{n:04}" for n in range(1, 51)])
    send(hub, B, name=HOSTILE, note=long + "ß" * 100_000)

    card = card_of(hub)

    place = [one.record_key for one in card.columns].index(A)
    assert cell(card, "name", place) == HOSTILE == card.columns[place].name
    (note,) = rows(card)["note"].cells[place].values
    assert (note.text, note.is_cut) == (long, False)
    assert rows(card)["note"].cells[1 - place].verdict == "missing"
    assert (len(rows(card)["codes"].cells[place].values), rows(card)["codes"].cells[place].left_out) == (20, 30)


def test_two_established_golden_records_with_open_contracts_are_a_risk(hub: Hub) -> None:
    for place, name in (("east", "Kestrel Advisory Ltd"), ("west", "Kestrel Advisory")):
        client, contract = (f"crm-{place}/{kind}:1" for kind in ("Account", "Contract"))
        records = [
            delivery(client, "customer", name=name, website="kestrel-advisory.example" if place == "east" else ""),
            delivery(contract, "contract", name=f"Frame {place}", customer="1", status="active", number=place),
        ]
        assert {one.status for one in deliver(hub, records, who="test")} == {"created"}
    acknowledge(hub, "crm-east/Account:1", "crm-west/Account:1")
    review = next(one for one in reviews.list_reviews(hub) if one.entity_type == "customer")

    card = card_of(hub, review)

    assert [(one.kind, one.count) for one in card.risks] == [("both_established", 2)]
    assert sorted((one.entity_type, one.count, one.open_count) for one in card.children) == [("contract", 1, 1)] * 2
    assert sorted(one.moves for one in card.children) == [False, True]
    assert {one.name for group in card.children for one in group.named} == {"east", "west"}
    assert {one.is_established for one in card.columns} == {True}


def test_a_child_is_shown_with_its_client(hub: Hub) -> None:
    send(hub, A, name="the client")
    for number in "12":
        gizmo = delivery(f"crm-east/Gizmo:{number}", "gizmo", name=f"gizmo {number}", tag="t", widget="a")
        (outcome,) = deliver(hub, [gizmo], who="test")
        assert outcome.status == "created"

    card = card_of(hub)

    assert [one.within.name for one in card.columns if one.within] == ["the client"] * 2
    shown = rows(card)["widget"].cells[0].values[0]
    assert shown.names is not None
    assert (shown.names.golden_id, shown.names.name) == (golden_by_key(hub)[A], "the client")
    assert not rows(card)["widget"].can_choose
