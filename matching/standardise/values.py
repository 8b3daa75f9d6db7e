"""Compare forms of plain values: dates, numbers, years, currencies.

What is ambiguous is decided by the record's country and otherwise by one documented habit, never by the other values
of a column: the same text must give the same form in a file of one row.
"""

import re
from datetime import date as calendar_date
from decimal import Decimal, InvalidOperation

from matching.standardise.tables import countries_that, currencies
from matching.standardise.text import fold, tidy, to_ascii, words

_TWO_DIGIT_PIVOT = 68  # POSIX strptime: 69 to 99 are of the last century
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari styczen janv ene gen",
            "february feb februar fevrier febrero febbraio fevereiro februari luty fev febr",
            "march mar marz mars marzo marco maart marzec mrz maerz",
            "april apr avril abril aprile kwiecien avr abr",
            "may mai mayo maggio maio mei maj mag",
            "june jun juni juin junio giugno junho czerwiec giu",
            "july jul juli juillet julio luglio julho lipiec juil lug",
            "august aug aout agosto augustus augusti sierpien ago",
            "september sep sept septembre septiembre settembre setembro wrzesien set",
            "october oct oktober octobre octubre ottobre outubro okt pazdziernik ott out",
            "november nov novembre noviembre novembro listopad",
            "december dec dezember decembre diciembre dicembre dezembro dez grudzien dic",
        ),
        1,
    )
    for name in names.split()
}
_YEAR_FIRST = re.compile(r"^([0-9]{4})[-/. ]?([0-9]{1,2})[-/. ]?([0-9]{1,2})(?![0-9])")
_NUMBERS = re.compile(r"^([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{4}|[0-9]{2})(?![0-9])")
_PIECES = re.compile(r"[a-z]+|[0-9]+")
_YEAR = re.compile(r"(?<![0-9])(1[0-9]{3}|2[01][0-9]{2})(?![0-9])")
_NUMBER = re.compile(r"[0-9][0-9.,'_ ]*")
_SCIENTIFIC = re.compile(r"^[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?e[+-]?[0-9]{1,2}$")  # as spreadsheets write large ones
_DIGITS_MAX = 30


def date(value: str, country: str) -> tuple[str, ...]:
    """Give a day as YYYY-MM-DD; "03/04/2025" is April for all but the few countries that put the month first.

    A day above twelve settles the order by itself. Two-digit years turn at 68 as in POSIX. What is no whole day gives
    nothing.
    """
    written = fold(value[:60])
    found = _YEAR_FIRST.match(written)
    if found:
        return _day(int(found[1]), int(found[2]), int(found[3]))
    found = _NUMBERS.match(written)
    if found:
        first, second, year = int(found[1]), int(found[2]), _century(found[3])
        if second > 12 or (country in countries_that("month_first") and first <= 12):
            first, second = second, first
        return _day(year, second, first)
    return _day_with_named_month(_PIECES.findall(written))


def number(value: str, country: str) -> tuple[str, ...]:
    """Give a number as plain decimal text: "1.234,50 €" and "1,234.5" are "1234.5", "(12)" is "-12".

    The last of two different separators is the decimal one. A single one before three digits groups thousands if it
    is a comma in countries with a decimal point or unknown, or a point in countries known to use the comma.
    """
    written = to_ascii(value[:80])
    if _SCIENTIFIC.match(written):
        return (f"{Decimal(written).normalize():f}",)
    found = _NUMBER.search(written)
    if found is None or len(found.group()) > _DIGITS_MAX:
        return ()
    is_negative = written.startswith("-") or written[: found.start()].rstrip().endswith(("-", "("))
    plain = re.sub(r"['_\s]", "", found.group()).rstrip(".,")
    try:
        amount = Decimal(_with_point(plain, country))
    except InvalidOperation:
        return ()
    text = f"{amount.normalize():f}"
    return (f"-{text}" if is_negative and amount else text,)


def year(value: str, _country: str) -> tuple[str, ...]:
    """Give the first year between 1000 and 2199 in the value."""
    found = _YEAR.search(fold(value[:100]))
    return (found.group(1),) if found else ()


def currency(value: str, _country: str) -> tuple[str, ...]:
    """Give the lower-case ISO 4217 code of a currency's code, sign or name; "$" alone is read as the US dollar."""
    known = currencies()
    written = tidy(value[:60]).lower()
    found = known.get(written) or known.get(" ".join(words(fold(written))))
    return (found,) if found else ()


def _century(year: str) -> int:
    return int(year) if len(year) > 2 else int(year) + (2000 if int(year) <= _TWO_DIGIT_PIVOT else 1900)


def _day(year: int, month: int, day: int) -> tuple[str, ...]:
    try:
        return (calendar_date(year, month, day).isoformat(),)
    except ValueError:
        return ()


def _day_with_named_month(pieces: list[str]) -> tuple[str, ...]:
    month = next((_MONTHS[piece] for piece in pieces if piece in _MONTHS), None)
    numbers = [piece for piece in pieces if piece.isdigit()]
    if month is None or len(numbers) < 2:
        return ()
    first, second = numbers[:2]
    if len(first) == 4:
        first, second = second, first
    return _day(_century(second), month, int(first)) if len(first) <= 2 and len(second) in {2, 4} else ()


def _with_point(plain: str, country: str) -> str:
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, decimal = (".", ",") if comma > point else (",", ".")
    elif comma < 0 and point < 0:
        return plain
    else:
        mark = "," if comma >= 0 else "."
        uses_comma = bool(country) and country not in countries_that("decimal_point")
        is_group = len(plain) - 1 - max(comma, point) == 3 and (mark == ".") == uses_comma
        if plain.count(mark) > 1 or is_group:
            return plain.replace(mark, "")
        thousands, decimal = "", mark
    whole = plain.replace(thousands, "") if thousands else plain
    return whole.replace(decimal, ".")
