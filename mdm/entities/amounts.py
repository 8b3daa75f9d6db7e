"""Amounts as people and systems write them: digits, grouped or not, with a sign and a currency beside them at most.

Any other text beside the digits changes what they mean ("12k", "1.5 Mio", "TBD 3"), and digits that stand in no groups
("1.2.3") are no amount: both are refused, as a wrong number would look like a right one.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from matching.standardise.tables import currencies
from matching.standardise.text import tidy

_LENGTH_MAX: Final = 80  # chosen: twice what the longest amount with its currency takes
_NO_CENTS: Final = re.compile(r"(?<=\d)([.,])[-–—]{1,2}(?![\d-])")  # "1.500,-" and "12.--"
_BESIDE: Final = r"[^\d\s.,'’()+-][^\d()+-]*"
_AMOUNT: Final = re.compile(
    rf"(?P<sign>[-+(]?)\s*(?P<before>{_BESIDE})?(?P<inner>[-+(]?)\s*"
    r"(?=[.,]?\d)(?P<whole>"
    r"[1-9]\d{0,2}(?P<mark>[.,'’_\s])\d{3}(?:(?P=mark)\d{3})*"  # thousands
    r"|[1-9]\d?(?:,\d\d)+,\d{3}"  # lakhs and crores
    r"|\d*)"
    r"(?:(?P<point>[.,])(?P<part>\d*))?"
    rf"\)?\s*(?P<minus>-?)\s*(?P<after>{_BESIDE})?\)?"
)
_GROUPING: Final = re.compile(r"[.,'’_\s]")


def read_amount(text: str) -> Decimal | None:
    """Read an amount, None when the text is something else; not a number and infinity are Decimals too.

    Of two different marks the last is the decimal one. A single comma before three digits groups thousands, a single
    point does not.
    """
    try:
        if "_" not in text:  # Decimal leaves underscores out wherever they stand
            return Decimal(text)
    except InvalidOperation:
        pass
    found = _AMOUNT.fullmatch(_NO_CENTS.sub(r"\g<1>0", text)) if len(text) <= _LENGTH_MAX else None
    if found is None or text.count("(") != text.count(")"):
        return None
    if not all(_is_currency(beside) for beside in found.group("before", "after") if beside):
        return None
    whole, mark, point = found.group("whole", "mark", "point")
    if point and point in whole:
        return None
    if mark == "." and not point and whole.count(mark) == 1:
        plain = whole
    else:
        plain = f"{_GROUPING.sub('', whole)}.{found['part'] or ''}"
    amount = Decimal(plain)
    return amount.copy_negate() if {"-", "("} & set(found.group("sign", "inner", "minus")) else amount


def _is_currency(text: str) -> bool:
    return tidy(text).lower() in currencies()
