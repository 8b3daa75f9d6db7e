"""Choices of values as they travel in a form: which side's value, or what somebody typed. Pure.

Each is one field `choice.ATTRIBUTE`: `pick:COLUMN`, `text:…`, `list:…` with a line for each value, or `blank:`.
"""

from collections.abc import Mapping
from typing import Final

from api.console.visit import Form
from mdm.stewardship.card_model import COLUMNS_MAX, Choice, Pick, Typed

PREFIX: Final = "choice."
CHOICES_MAX: Final = 200  # chosen: more attributes than an entity type has


def choices_of(form: Form) -> dict[str, Choice]:
    """Read the choices of a form; what is no choice is left out."""
    found: dict[str, Choice] = {}
    for attribute, told in form.starting(PREFIX).items():
        choice = read_choice(told)
        if choice is not None and len(found) < CHOICES_MAX:
            found[attribute] = choice
    return found


def with_change(choices: Mapping[str, Choice], form: Form) -> dict[str, Choice]:
    """Apply the change that a form asks for: another choice for one attribute, or none; the same pick twice is none."""
    attribute = form.one("attribute")
    changed = dict(choices)
    if not attribute:
        return changed
    choice = read_choice(form.one("take"))
    if choice is None and form.one("how") in {"text", "list", "blank"}:
        choice = read_choice(f"{form.one('how')}:{form.one('typed')}")
    if choice is None or (isinstance(choice, Pick) and changed.get(attribute) == choice):
        changed.pop(attribute, None)
    else:
        changed[attribute] = choice
    return changed


def read_choice(told: str) -> Choice | None:
    """Read one choice."""
    kind, separator, rest = told.partition(":")
    if not separator:
        return None
    if kind == "pick":
        return Pick(int(rest)) if rest.isdecimal() and len(rest) < 4 and int(rest) <= COLUMNS_MAX else None
    if kind == "list":
        return Typed([line.strip() for line in rest.split("\n") if line.strip()])
    if kind == "text":
        return Typed(rest.strip()) if rest.strip() else Typed(None)
    return Typed(None) if kind == "blank" else None


def written(choices: Mapping[str, Choice]) -> tuple[tuple[str, str], ...]:
    """Write choices as fields of a form."""
    return tuple((PREFIX + attribute, _told(choice)) for attribute, choice in choices.items())


def _told(choice: Choice) -> str:
    if isinstance(choice, Pick):
        return f"pick:{choice.column}"
    if choice.value is None:
        return "blank:"
    if isinstance(choice.value, list | tuple):
        return "list:" + "\n".join(map(str, choice.value))
    return f"text:{choice.value}"
