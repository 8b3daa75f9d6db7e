"""The lines of a queue: reviews in short, with the answers that wait for a second person."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdm.db.transaction import snapshot
from mdm.decisions import answers_store
from mdm.decisions.review_model import Answer, Review
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.stewardship.short_facts import ShortFacts, short_facts


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One review of a queue, and the answer to it that waits; None when none does."""

    facts: ShortFacts
    waiting: Answer | None = None


def queue_lines(hub: Hub, reviews: Sequence[Review]) -> tuple[QueueLine, ...]:
    """Read reviews of any entity types in short, in their order, a handful of statements for each type."""
    by_id: dict[ReviewId, ShortFacts] = {}
    with snapshot(hub.engine) as connection:
        for name in sorted({review.entity_type for review in reviews}):
            alike = [review for review in reviews if review.entity_type == name]
            by_id |= {one.review.id: one for one in short_facts(connection, hub.entity_type(name), alike)}
        asked = [review.id for review in reviews if review.answer_id is not None]
        answers = answers_store.select_last_answers(connection, asked) if asked else {}
    waiting = {id_: answer for id_, answer in answers.items() if answer.state == "proposed"}
    return tuple(QueueLine(by_id[review.id], waiting.get(review.id)) for review in reviews)
