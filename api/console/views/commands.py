"""Pages and commands of the palette, and which of them a few typed letters mean. Pure.

A command leads to a page (`url`), opens a dialog (`opens`) or presses a button of the frame (`presses`).
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.navigation import PAGES
from api.console.views.vocabulary import N_
from mdm.access.model import Verb


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette; `more` are words that find it besides its own."""

    words: str
    hint: str
    url: str
    verb: Verb = "read"
    opens: str = ""
    presses: str = ""
    more: str = ""


_PAGES: Final = tuple(Command(each.words, "", each.url, each.verb) for each in PAGES)
_COMMANDS: Final = (
    Command(N_("Begin with the next question"), N_("Review"), "/review", "steward", more="start decide merge"),
    Command(N_("Mend what was rejected"), N_("Exceptions"), "/exceptions", "steward", more="errors faults replay"),
    Command(N_("Add a person"), N_("People"), "/people#add", "admin", more="invite user account"),
    Command(N_("Your settings"), N_("Language, colours, keys, password"), "/me", more="account preferences"),
    Command(
        N_("Switch between light and dark"), "", "#theme", presses="#theme button", more="theme mode colours contrast"
    ),
    Command(N_("Show the keys"), "?", "#help", opens="help", more="shortcuts keyboard help"),
    Command(N_("API reference"), "", "/docs", more="http openapi developers"),
)


def pages_for(question: str, holds: Callable[[Verb], bool], translate: Callable[[str], str]) -> Sequence[Command]:
    """Give the pages that somebody may open and that the question means; all of them for none."""
    return _meant(_PAGES, question, holds, translate)


def is_named(question: str, pages: Sequence[Command], translate: Callable[[str], str]) -> bool:
    """Tell whether the question is the whole name of one of these pages."""
    return any(_folded(question) == _folded(translate(each.words)) for each in pages)


def commands_for(question: str, holds: Callable[[Verb], bool], translate: Callable[[str], str]) -> Sequence[Command]:
    """Give the commands that somebody may use and that the question means; all of them for none."""
    return _meant(_COMMANDS, question, holds, translate)


def _meant(
    commands: Sequence[Command], question: str, holds: Callable[[Verb], bool], translate: Callable[[str], str]
) -> Sequence[Command]:
    asked = _folded(question)
    return [
        each
        for each in commands
        if holds(each.verb) and _is_meant(asked, _folded(f"{translate(each.words)} {each.words} {each.more}"))
    ]


def _is_meant(asked: Sequence[str], there: Sequence[str]) -> bool:
    """Tell whether every word that was typed begins a word of the command."""
    return all(any(word.startswith(typed) for word in there) for typed in asked)


def _folded(text: str) -> Sequence[str]:
    plain = "".join(each for each in unicodedata.normalize("NFKD", text[:200]) if not unicodedata.combining(each))
    return plain.casefold().split()
