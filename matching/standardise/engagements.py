"""Compare forms of undertakings and agreements: the period that a name tells, its words, numbers of documents."""

import re

from matching.standardise.phases import without_part
from matching.standardise.text import fold, to_ascii, words

_PIECES = re.compile(r"[a-z]+|[0-9]+")
_ZEROS = re.compile(r"^0+(?=[0-9])")
_YEAR = re.compile(r"^(?:19|20|21)[0-9]{2}$")
_FISCAL = re.compile(r"^(?:fy|gj|cy|ey|ex)(?P<year>[0-9]{2}|(?:19|20|21)[0-9]{2})$")
_FISCAL_WORDS = frozenset({"fy", "gj", "cy", "fiscal", "geschaftsjahr", "exercice", "ejercicio"})
_SHORT_YEAR = re.compile(r"^[0-9]{2}$")
_QUARTER = re.compile(r"^(?:(?P<half>[hs])|[qt])(?P<number>[1-4])$")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari",
            "february feb februar fevrier febrero febbraio fevereiro februari",
            "march mar marz mars marzo marco maart",
            "april apr avril abril aprile",
            "may mai mayo maggio maio mei",
            "june jun juni juin junio giugno junho",
            "july jul juli juillet julio luglio julho",
            "august aug aout agosto augustus",
            "september sep sept septembre septiembre settembre setembro",
            "october oct oktober octobre octubre ottobre outubro okt",
            "november nov novembre noviembre novembro",
            "december dec dezember decembre diciembre dicembre dezembro dez",
        ),
        1,
    )
    for name in names.split()
}
_CENTURY = 2000
_CODE = re.compile(r"\b[a-z]{1,6}(?:[-_/][a-z]{1,6})?[-_/]?(?P<digits>[0-9]{4,})(?:[-_/.][0-9]{1,4})*\b")
_SEPARATOR = re.compile(r"\s[-–—|/]+\s|[:|]\s|[–—]")
_STANDARDS = re.compile(r"^(?:iso|din|en|iec|bs|fy|gj|cy)[-_/]?[0-9]")
"""What looks like a code and is none: standards and fiscal years."""


def period(value: str, _country: str) -> tuple[str, ...]:
    """Give the period a name tells: "Audit FY25" "2025", "Support 2024/25" "2024-2025", "Retainer Q1 2025" "2025 q1".

    A quarter or month counts beside one year only; a name without a year tells no period.
    """
    left = words(fold(value))
    years = sorted({year for place in range(len(left)) for year in _years(left, place)})
    if not years:
        return ()
    if len(years) > 1:
        return (f"{years[0]}-{years[-1]}",)
    parts = [part for part in map(_part_of_year, left) if part]
    return (f"{years[0]} {parts[0]}",) if len(parts) == 1 else (f"{years[0]}",)


def document_number(value: str, _country: str) -> tuple[str, ...]:
    """Give the runs of letters and digits of a document's number, less leading zeros: "PRJ-0042/A1" is "prj 42 a 1"."""
    pieces = [_ZEROS.sub("", piece) for piece in _PIECES.findall(to_ascii(value[:100]))]
    joined = " ".join(pieces)
    return (joined,) if joined.replace(" ", "").strip("0") else ()


def engagement_name(value: str, _country: str) -> tuple[str, ...]:
    """Give the words of a name without the codes, part and period it tells, which other forms give.

    "PR20060 Payroll Migration" is "payroll migration", "Audit FY25, Phase 2" is "audit".
    """
    folded = fold(value)
    left = without_part(_CODE.sub(lambda found: " " if _is_code(found) else found.group(), folded))
    named = [word for place, word in enumerate(left) if not _is_of_period(left, place)]
    joined = " ".join(named or left or words(folded))
    return (joined,) if joined else ()


def engagement_tail(value: str, country: str) -> tuple[str, ...]:
    """Give the name after what is set before it: "Lindqvist AB - Implementation" is "implementation".

    Systems set the client or the programme before a name, parted by a dash, colon or bar; what is added behind it tells
    another engagement. What only tells the part or period is no name: "Roll-out - Phase 2" is "roll out".
    """
    pieces = [piece for piece in _SEPARATOR.split(value) if piece.strip()]
    named = [name for piece in pieces for name in engagement_name(piece, country) if _tells_more(piece)]
    return tuple(named[-1:]) or engagement_name(value, country)


def mentioned_number(value: str, country: str) -> tuple[str, ...]:
    """Give the numbers of documents written into a text, as `document_number` gives them; a code alone is one too."""
    found = [each.group() for each in _CODE.finditer(fold(value[:200])) if _is_code(each)]
    return tuple(dict.fromkeys(number for each in found for number in document_number(each, country)))


def _tells_more(piece: str) -> bool:
    """Tell whether a piece of a name holds words beside its code, part and period."""
    left = without_part(_CODE.sub(lambda found: " " if _is_code(found) else found.group(), fold(piece)))
    return any(not _is_of_period(left, place) for place in range(len(left)))


def _is_code(found: re.Match[str]) -> bool:
    return not _STANDARDS.match(found.group()) and not _YEAR.match(found["digits"])


def _years(left: list[str], place: int) -> list[int]:
    """Read the year at a place, with the short one that follows: "2024 25"."""
    word = left[place]
    fiscal = _FISCAL.match(word)
    if _YEAR.match(word):
        first = int(word)
    elif fiscal:
        first = int(fiscal["year"]) % 100 + _CENTURY
    elif _SHORT_YEAR.match(word) and place and left[place - 1] in _FISCAL_WORDS:
        first = int(word) + _CENTURY
    else:
        return []
    following = left[place + 1] if place + 1 < len(left) else ""
    is_next = bool(_SHORT_YEAR.match(following)) and int(following) == (first + 1) % 100
    return [first, first + 1] if is_next else [first]


def _is_of_period(left: list[str], place: int) -> bool:
    """Tell whether a word tells the year, or belongs to one: "fy", the short year after it, the quarter beside one."""
    if _years(left, place):
        return True
    after_year = bool(place and len(_years(left, place - 1)) > 1)
    before_year = left[place] in _FISCAL_WORDS and place + 1 < len(left) and bool(_years(left, place + 1))
    has_year = any(_years(left, other) for other in range(len(left)))
    return after_year or before_year or (has_year and bool(_QUARTER.match(left[place])))


def _part_of_year(word: str) -> str:
    quarter = _QUARTER.match(word)
    if quarter:
        if quarter["half"]:
            return f"h{quarter['number']}" if quarter["number"] in "12" else ""
        return f"q{quarter['number']}"
    return f"{_MONTHS[word]:02}" if word in _MONTHS else ""
