"""The state machine of a deal, whatever happens to it in whatever order: a Hypothesis machine against plain laws."""

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mdm.activation import progress as turns
from mdm.activation.model import STATES, TAKEN_BACK, Progress, Recipe
from mdm.activation.recipe import recipe_of

RECIPE = recipe_of(None)


class DealMachine(RuleBasedStateMachine):
    """A deal to which steps, failures, retries and cancellations happen; `left` is what its steps left in the world."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = turns.begun(RECIPE)
        self.left: list[str] = []
        self.was_cancelled = False

    @initialize()
    def begin(self) -> None:
        assert self.progress == Progress("sold", "going", "validate")

    @property
    def standing(self) -> str:
        return self.progress.standing

    @precondition(lambda self: self.standing in {"going", "waiting", "failing"})
    @rule()
    def step_is_done(self) -> None:
        assert self.progress.step is not None
        step = RECIPE.step(self.progress.step)
        if step.does in TAKEN_BACK:
            assert step.name not in self.left, "what is there is not made twice"
            self.left.append(step.name)
        self.progress = turns.done(RECIPE, self.progress)

    @precondition(lambda self: self.standing in {"going", "waiting", "failing"})
    @rule(because=st.sampled_from(["review", "approval", "key_of_customer"]))
    def step_waits(self, because: str) -> None:
        before = self.progress
        self.progress = turns.waiting(self.progress, because)
        assert (self.progress.step, self.progress.done, self.progress.attempts) == (before.step, before.done, 0)

    @precondition(lambda self: self.standing in {"going", "waiting", "failing"})
    @rule()
    def steps_before_are_done_again(self) -> None:
        before = self.progress
        self.progress = turns.done_again(self.progress)
        kept = (before.state, before.step, before.done)
        assert (self.progress.state, self.progress.step, self.progress.done) == kept, "nothing that was reached is lost"
        assert self.standing == "going"

    @precondition(lambda self: self.standing in {"going", "waiting", "failing"})
    @rule(is_final=st.booleans())
    def step_fails(self, is_final: bool) -> None:
        before = self.progress
        self.progress = turns.failed(RECIPE, self.progress, "failed", is_final=is_final)
        ends = is_final or before.attempts + 1 >= RECIPE.attempts_max
        assert self.standing == ("taking_back" if ends else "failing")

    @precondition(lambda self: self.standing == "taking_back")
    @rule()
    def something_is_taken_back(self) -> None:
        step = turns.to_take_back(RECIPE, self.progress)
        if step is None:
            assert self.left == [], "nothing is left when taking back ends"
            self.progress = turns.ended(self.progress)
            assert self.standing == ("cancelled" if self.was_cancelled else "failed")
        else:
            assert self.left.pop() == step.name, "the last that was made is taken back first"
            self.progress = turns.taken_back(RECIPE, self.progress, step)

    @precondition(lambda self: self.standing == "taking_back")
    @rule()
    def taking_back_fails(self) -> None:
        self.progress = turns.taking_back_failed(self.progress)
        assert self.standing == "taking_back"

    @precondition(lambda self: self.standing == "failed")
    @rule()
    def it_is_retried(self) -> None:
        self.progress = turns.retried(RECIPE, self.progress)
        assert self.progress.step == RECIPE.steps[len(self.progress.done)].name

    @precondition(lambda self: self.standing not in {"done", "cancelled"})
    @rule()
    def it_is_cancelled(self) -> None:
        self.was_cancelled = True
        self.progress = turns.cancelling(self.progress)

    @precondition(lambda self: self.standing in {"done", "cancelled"})
    @rule()
    def another_deal_comes_in(self) -> None:
        self.progress, self.left, self.was_cancelled = turns.begun(RECIPE), [], False

    @invariant()
    def steps_are_done_in_order(self) -> None:
        assert list(self.progress.done) == [step.name for step in RECIPE.steps[: len(self.progress.done)]]

    @invariant()
    def the_state_is_what_the_last_done_step_reached(self) -> None:
        if self.standing == "cancelled":
            return
        reached = [step.reaches for step in map(RECIPE.step, self.progress.done) if step.reaches]
        assert self.progress.state == (reached[-1] if reached else "sold")
        assert reached == list(STATES[1 : len(reached) + 1])

    @invariant()
    def what_is_left_is_what_done_steps_made(self) -> None:
        done = [step.name for step in map(RECIPE.step, self.progress.done) if step.does in TAKEN_BACK]
        assert self.left == done

    @invariant()
    def only_at_the_end_no_step_is_at_hand(self) -> None:
        assert (self.progress.step is None) is (self.standing in {"done", "cancelled"})
        assert (self.standing == "done") is (self.progress.state == "ready_to_bill")
        assert not (self.was_cancelled and self.standing not in {"taking_back", "cancelled"})


TestDealMachine = DealMachine.TestCase
TestDealMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def walked(recipe: Recipe) -> Iterator[Progress]:
    """Walk a deal to which nothing bad happens through all steps."""
    progress = turns.begun(recipe)
    yield progress
    while progress.step is not None:
        progress = turns.done(recipe, progress)
        yield progress


def test_a_deal_to_which_nothing_bad_happens_goes_through_all_states() -> None:
    states = [progress.state for progress in walked(RECIPE)]

    # Eight steps; the fourth, fifth and eighth reach a state.
    assert states == [*["sold"] * 4, "activated", *["approved"] * 3, "ready_to_bill"]


@pytest.mark.parametrize("failures", [1, 7, 8])
def test_a_step_is_tried_eight_times(failures: int) -> None:
    progress = turns.begun(RECIPE)
    for _ in range(failures):
        progress = turns.failed(RECIPE, progress, "failed", is_final=False)

    assert (progress.standing, progress.attempts) == ("taking_back" if failures == 8 else "failing", failures)
