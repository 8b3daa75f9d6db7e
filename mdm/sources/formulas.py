"""Texts that a spreadsheet would run as a formula, disarmed on the way out and given back whole on the way in.

A text that begins with one of `TRIGGERS`, also behind apostrophes, gets one apostrophe more; reading takes exactly that
one away. So "-Zero AG" and "'=x" both survive export and import, and no exported cell is ever a formula.
"""

import re
from collections.abc import Iterable
from typing import Final

# The characters by which spreadsheet programs tell a formula, and their full-width forms, which some of them fold.
TRIGGERS: Final = "=+-@\t\r\n\x00＝＋－＠"
_ARMED: Final = re.compile(f"'*[{re.escape(TRIGGERS)}]")
_SUSPECT: Final = frozenset({*TRIGGERS, "'"})
_DISARMED: Final = re.compile(f"''*[{re.escape(TRIGGERS)}]")


def disarm(text: str) -> str:
    """Give the text a leading apostrophe if a spreadsheet might run it."""
    return f"'{text}" if _ARMED.match(text) else text


def disarm_all(texts: Iterable[str]) -> list[str]:
    """Disarm many texts, of which few need it."""
    return [disarm(text) if text[:1] in _SUSPECT else text for text in texts]


def rearm(text: str) -> str:
    """Take away the apostrophe that `disarm` gave."""
    return text[1:] if _DISARMED.match(text) else text
