"""The compiled loops over pairs and what they share with their callers; the loops are loaded when one is asked for.

Their compiler takes 60 MB and a sixth of a second of every process that only names what can be compared: a relay, a
command that looks one thing up. Without numba (the extra `speed`) callers look at IS_COMPILED and do the same by
columns.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

IS_COMPILED: Final = find_spec("numba") is not None

SLIPS, ABBREVIATIONS, INITIALS = 0, 1, 2
"""How unlike tokens may match: see the functions of the same names in `matching.tokens`."""

COLUMNS: Final = 11
"""Columns of `overlaps`, in the order of the fields of `matching.tokens.Overlap`."""

BLANK: Final = 32
FIRST, SECOND, THIRD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""The factors of `matching.texts.mix`."""

Span: TypeAlias = tuple[int, int]
"""Where a text begins and ends among letters."""

Side: TypeAlias = tuple[float, float, float, float, int, int, int, int]
"""What one text of a pair gives to `overlaps`: shared, held, extra, heaviest, found, own, own telling, own number."""


WORD: Final = np.dtype(
    [
        ("letters", np.uint64),
        ("weight", np.float64),
        ("start", np.uint32),
        ("size", np.int32),
        ("length", np.int32),
        ("has_digit", np.bool_),
        ("is_generic", np.bool_),
    ],
    align=True,
)
"""What is known of a word, side by side, since a pair of texts asks for all of it: the set of its letters, its rarity,
where it begins and how many bytes it has there, how many letters it has."""


class Words(NamedTuple):
    """Hold tokenised texts as `matching.tokens.Tokens` does, and what is known of each word: WORD [words]."""

    codes: Any
    known: Any
    letters: Any


class Scratch(NamedTuple):
    """Hold what is written over for every pair: how well tokens are found [width]."""

    found_left: Any
    found_right: Any


def __getattr__(name: str) -> Any:
    """Give a loop of `matching.loops`, and keep it here."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__} has no {name}")
    found = globals()[name] = getattr(import_module("matching.loops"), name)
    return found
