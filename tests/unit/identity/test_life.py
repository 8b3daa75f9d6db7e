"""What a plan did to an id and its records, for plans that no test with a database comes by."""

import orjson

from mdm.history.past import PastEvent
from mdm.identity.life import LifeStep, StoryStep, absorbed_by, life_steps, plan_of, story_steps
from mdm.identity.model import IdentityPlan, Move, Standing, Turn
from mdm.ids import EventId, GoldenId, RecordId
from tests.hubs import EPOCH

X, Y, Z, N = (GoldenId(f"cus_{letter}") for letter in "xyzn")
R, S, T = (RecordId(f"rec_{letter}") for letter in "rst")
ACTIVE = Standing("active")


def plan(*moves: Move, turns: tuple[Turn, ...] = ()) -> IdentityPlan:
    return IdentityPlan("customer", moves, turns)


def test_a_plan_is_read_as_it_was_written() -> None:
    written = plan(
        Move(R, None, X),
        turns=(Turn(X, None, ACTIVE), Turn(Y, ACTIVE, Standing("forwarded", X, is_confirmed=True))),
    )
    event = PastEvent(
        EventId("evt_1"), "customer", "ingest", "", None, None, _as_read(written.as_document()), EPOCH, "test"
    )

    assert plan_of(event) == written


def test_a_merge_and_a_split_in_one_plan_are_both_told() -> None:
    """Y is absorbed by X while X gives up a record to the new id N."""
    both = plan(
        Move(R, Y, X),
        Move(S, X, N),
        turns=(Turn(Y, ACTIVE, Standing("forwarded", X)), Turn(N, None, ACTIVE)),
    )

    assert life_steps(both, X) == (LifeStep("survived", (Y,)), LifeStep("split", (N,)))
    assert life_steps(both, Y) == (LifeStep("forwarded", (X,)),)
    assert life_steps(both, N) == (LifeStep("minted", (X,)),)
    assert life_steps(both, Z) == ()
    assert absorbed_by([both], X) == {Y}
    assert story_steps(both, [X, Y, N], [R, S]) == (
        StoryStep("moved_in", N, (S,), X),
        StoryStep("merged", X, (R,), Y),
        StoryStep("split", X, (S,), N),
        StoryStep("merged_away", Y, (R,), X),
    )


def test_a_record_that_moves_between_two_living_ids_is_no_split() -> None:
    moved = plan(Move(R, X, Y))

    assert life_steps(moved, X) == life_steps(moved, Y) == ()
    assert [step.kind for step in story_steps(moved, [X], [R])] == ["moved_out"]
    assert [step.kind for step in story_steps(moved, [Y], [R])] == ["moved_in"]


def test_a_forward_that_only_leads_on_is_not_absorbed_again() -> None:
    flattened = plan(turns=(Turn(Z, Standing("forwarded", Y), Standing("forwarded", X)),))

    assert life_steps(flattened, Z) == (LifeStep("forwarded_anew", (X,)),)
    assert life_steps(flattened, X) == ()


def test_an_acknowledgement_is_no_step_and_a_confirmation_on_the_way_is() -> None:
    acknowledged = plan(turns=(Turn(X, ACTIVE, Standing("active", is_acknowledged=True)),))
    minted = plan(Move(R, None, X), turns=(Turn(X, None, Standing("active", is_confirmed=True)),))

    assert life_steps(acknowledged, X) == ()
    assert life_steps(minted, X) == (LifeStep("minted"), LifeStep("confirmed"))


def test_a_record_that_comes_from_nowhere_is_new_or_returns() -> None:
    arriving = plan(Move(R, None, X), Move(S, None, X), Move(T, X, None))

    assert story_steps(arriving, [X], [R, T]) == (
        StoryStep("returned", X, (R,)),
        StoryStep("attached", X, (S,)),
        StoryStep("left", X, (T,)),
    )
    assert story_steps(plan(Move(S, None, X), turns=(Turn(X, None, ACTIVE),)), [X], []) == (
        StoryStep("created", X, (S,)),
    )


def _as_read(document: object) -> dict[str, object]:
    """Give a document as PostgreSQL gives it back: lists for tuples."""
    read = orjson.loads(orjson.dumps(document))
    assert isinstance(read, dict)
    return read
