"""The state machine of a deal: what happens to its progress when a step is done, waits, fails or is taken back. Pure.

Steps are done one after the other. A step that fails for good, or a deal that is cancelled, takes back what the steps
before made, the last first; a failed deal can be taken up again from there, a cancelled one not.
"""

from dataclasses import replace

from mdm.activation.model import TAKEN_BACK, Progress, Recipe, Step


def begun(recipe: Recipe) -> Progress:
    """Start with the first step of a deal."""
    return Progress("sold", "going", recipe.steps[0].name)


def incomplete(progress: Progress) -> Progress:
    """Hold a deal up whose facts are not all right."""
    return replace(progress, standing="incomplete", because="incomplete")


def done(recipe: Recipe, progress: Progress) -> Progress:
    """Go on behind the step at hand."""
    assert progress.step is not None, "a deal at its end has no step to be done"
    step = recipe.step(progress.step)
    following = recipe.place(step.name) + 1
    is_last = following == len(recipe.steps)
    return Progress(
        state=step.reaches or progress.state,
        standing="done" if is_last else "going",
        step=None if is_last else recipe.steps[following].name,
        done=(*progress.done, step.name),
    )


def waiting(progress: Progress, because: str) -> Progress:
    """Wait for a fact that the step at hand needs."""
    return replace(progress, standing="waiting", attempts=0, because=because)


def done_again(progress: Progress) -> Progress:
    """Come back to the step at hand after steps before it were done again: no state that was reached is lost by it."""
    return replace(progress, standing="going", attempts=0, because="")


def failed(recipe: Recipe, progress: Progress, because: str, *, is_final: bool) -> Progress:
    """Try the step at hand again later, or, when that helps no more, take back what was made."""
    attempts = progress.attempts + 1
    if is_final or attempts >= recipe.attempts_max:
        return replace(progress, standing="taking_back", attempts=attempts, because=because)
    return replace(progress, standing="failing", attempts=attempts, because=because)


def taking_back_failed(progress: Progress) -> Progress:
    """Count a failure while something is taken back; it is tried for ever, since nothing else would end it."""
    return replace(progress, attempts=progress.attempts + 1)


def cancelling(progress: Progress) -> Progress:
    """Take back what was made, for good."""
    return replace(progress, standing="taking_back", attempts=0, because="cancelled", is_ending=True)


def to_take_back(recipe: Recipe, progress: Progress) -> Step | None:
    """Name the last step that is done and left something behind; None when nothing is left to take back."""
    left = [step for step in map(recipe.step, progress.done) if step.does in TAKEN_BACK]
    return left[-1] if left else None


def taken_back(recipe: Recipe, progress: Progress, step: Step) -> Progress:
    """Count a step as not done, and all behind it."""
    kept = progress.done[: progress.done.index(step.name)]
    reached = [one.reaches for one in map(recipe.step, kept) if one.reaches is not None]
    return replace(progress, done=kept, attempts=0, state=reached[-1] if reached else "sold")


def ended(progress: Progress) -> Progress:
    """End taking back: the deal is cancelled, or failed until somebody takes it up again."""
    if progress.is_ending:
        return replace(progress, state="cancelled", standing="cancelled", step=None)
    return replace(progress, standing="failed")


def retried(recipe: Recipe, progress: Progress) -> Progress:
    """Take a deal up again at the first step that is not done."""
    following = recipe.steps[len(progress.done)].name
    return replace(progress, standing="going", step=following, attempts=0, because="")
