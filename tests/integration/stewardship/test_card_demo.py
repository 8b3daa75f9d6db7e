"""The card of every open review of the demo firm: it can be put together, adds up, and shows what the merge gives."""

import pytest

from mdm.db.transaction import snapshot
from mdm.demo.firm import build_firm
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.stewardship import reviews
from mdm.stewardship.card import NO_CHOICES, chosen_values, review_card
from mdm.stewardship.card_model import Card, Pick
from mdm.stewardship.card_reading import read
from mdm.stewardship.dealing import rehearse_card
from mdm.survivorship.model import canonical_bytes
from tests.firms import deliveries_of, register_systems
from tests.hubs import hub_on

pytestmark = pytest.mark.db

REHEARSED = 8  # merges that are done and taken back; each matches its projects anew


def require_sound(card: Card) -> None:
    """Require what holds of every card: it adds up, its columns fit, and it suggests no merge that has a risk."""
    assert card.evidence is not None
    reached = card.evidence.prior_bits
    for row in card.rows:
        assert len(row.cells) == len(card.columns)
        if row.is_evidence:
            assert row.before == reached
            reached = row.after if row.after is not None else reached
    assert reached == card.evidence.bits
    if card.review.kind in {"possible_match", "join"}:
        assert card.evidence.bits == card.review.bits
    assert not (card.risks and card.asking == "one_or_two" and card.suggested == "merge")
    assert (card.effects is not None) == (card.asking == "one_or_two")


def test_every_open_review_has_a_card_and_the_merge_gives_what_it_shows(engine: object) -> None:
    hub: Hub = hub_on(engine)  # type: ignore[arg-type]
    firm = build_firm(scale=0.12)
    register_systems(hub, firm)
    deliver(hub, deliveries_of(firm.records), who="test")
    asked = reviews.list_reviews(hub, limit=1_000)

    cards = [review_card(hub, review.id, who="ann") for review in asked]

    assert len(cards) >= 15  # as many questions are left in an eighth of the firm
    for card in cards:
        require_sound(card)
    pairs = [card for card in cards if card.asking == "one_or_two"]
    for card in pairs[:: max(1, len(pairs) // REHEARSED)]:
        require_as_merged(hub, card)


def require_as_merged(hub: Hub, card: Card) -> None:
    """Require that the merge itself gives the values and lineage that the card is made of, chosen ones too."""
    column = next((k for row in card.rows for k, cell in enumerate(row.cells) if row.can_choose and cell.values), 0)
    chosen = {row.attribute: Pick(column) for row in card.rows if row.can_choose and row.cells[column].values}
    for choices in (NO_CHOICES, chosen):
        told = rehearse_card(hub, card.review.id, choices=choices, who="ann")
        with snapshot(hub.engine) as connection:
            outcome = chosen_values(read(hub, connection, card.review.id), choices, "ann")

        assert told.effect is not None
        assert outcome is not None
        assert card.effects is not None
        assert outcome.faults == ()
        merged = next(one.after for one in told.effect.goldens if one.after.golden_id == card.effects.survivor_id)
        assert canonical_bytes(outcome.shows.values) == canonical_bytes(merged.values)
        ours = {name: (line.record_key, line.rule, line.agreeing) for name, line in outcome.shows.lineage.items()}
        theirs = {
            name: (line["record_key"], line["rule"], tuple(line.get("agreeing", ())))
            for name, line in merged.lineage.items()
        }
        assert ours == theirs
