"""Compare forms of numbers that name somebody: tax numbers, register numbers, DUNS, LEI, codes.

Forms that may veto a join are written "scope:value". Two values contradict each other only within one scope, and the
scope "weak" never does: it holds what could not be validated, or what one legal entity may have several of. A number
that also tells branches apart (SIRET, CNPJ, GSTIN) is cut to the part that names the legal entity.
"""

import re
from functools import cache
from types import ModuleType
from typing import cast

from stdnum import lei as stdnum_lei
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from matching.standardise.tables import countries_that, tax_id_kinds
from matching.standardise.text import alphanumeric, fold, words

WEAK = "weak"

_GB_NUMBER_LENGTH = 8
_DUNS_LENGTH = 9
_DUNS_LENGTH_MIN = 7  # spreadsheets lose leading zeros
_PREFIX_ALIASES = {"el": "gr", "xi": "gb", "che": "ch", "uk": "gb"}
_TAX_ID_LENGTH_MIN = 5  # chosen: a shorter one is a filler or a code of one's own
TAX_ID_LENGTH_MAX = 100  # raw characters, label included
_DIGIT_RUN = re.compile(r"0+(?=[0-9])")
LABEL = re.compile(
    r"""^(?: .{0,40}[:\#]
      | (?:no|nr|vat|ust[ -]?id(?:[ -]?nr)?|uid|mwst|tva|iva|tin|ein|abn|acn|gstin|pan|cnpj|nif|cif|nip|siret|siren|crn
        |reg(?:istration)?\ no)\b\.? )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
"""What people write before a number: anything up to a colon, or one of the usual short names."""


def identifier(value: str, _country: str) -> tuple[str, ...]:
    """Give letters and digits only; a number loses leading zeros, as it does in spreadsheets."""
    plain = alphanumeric(value)
    if plain.isdigit():
        plain = plain.lstrip("0")
    return (plain,) if plain else ()


def code(value: str, _country: str) -> tuple[str, ...]:
    """Give the words of a code joined by hyphens, zeros kept: "NET_30" and "net 30" are "net-30"."""
    joined = "-".join(words(fold(value)))
    return (joined,) if joined else ()


def reference(value: str, _country: str) -> tuple[str, ...]:
    """Give a document's letters and digits, runs of digits without leading zeros: "PRJ-0042" is "prj42"."""
    pieces = re.findall(r"[a-z]+|[0-9]+", alphanumeric(value))
    joined = "".join(_DIGIT_RUN.sub("", piece) if piece.isdigit() else piece for piece in pieces)
    return (joined,) if joined.strip("0") else ()


def duns(value: str, _country: str) -> tuple[str, ...]:
    """Give "duns:" and nine digits; anything that is not nine digits, or nine equal ones, is no D-U-N-S number."""
    digits = alphanumeric(value).removeprefix("duns")
    if not digits.isdigit() or not _DUNS_LENGTH_MIN <= len(digits) <= _DUNS_LENGTH:
        return ()
    digits = digits.zfill(_DUNS_LENGTH)
    return (f"duns:{digits}",) if len(set(digits)) > 1 else ()


def lei(value: str, _country: str) -> tuple[str, ...]:
    """Give "lei:" and twenty characters whose checksum holds (ISO 17442), else nothing."""
    plain = alphanumeric(value).removeprefix("lei")
    return (f"lei:{plain}",) if stdnum_lei.is_valid(plain.upper()) else ()


def registration_number(value: str, country: str) -> tuple[str, ...]:
    """Give a register number as "country:value", or "weak:value" where it is not unique in the country.

    Germany counts per court (HRB 4711 exists many times), the United States and Canada per state, Italy and Spain per
    province.
    """
    plain = alphanumeric(LABEL.sub("", value.strip()[:100]))
    if country == "gb" and plain.isdigit():
        plain = plain.zfill(_GB_NUMBER_LENGTH)
    elif plain.isdigit():
        plain = plain.lstrip("0")
    if len(plain.strip("0")) < 3:
        return ()
    return (f"{country if country in countries_that('national_register') else WEAK}:{plain}",)


def tax_id(value: str, country: str) -> tuple[str, ...]:
    """Give a tax number as "country-kind:value" where its country's rules hold, else as "weak:value".

    The number's own prefix decides over the record's country: a Dutch branch may bill under a German number. With or
    without the prefix the form is the same: "136 695 976" of a German record is "de-vat:de136695976".
    source  python-stdnum for the rules, tax_ids.csv for the kinds
    """
    plain = alphanumeric(value) if len(value) < TAX_ID_LENGTH_MAX else ""
    found = _read_as(plain, prefix_country(plain)) or _read_as(plain, country)
    if found is None and plain and (label := LABEL.match(value.strip())):
        plain = alphanumeric(value.strip()[label.end() :])
        found = _read_as(plain, prefix_country(plain)) or _read_as(plain, country)
    if found:
        return (found,)
    return (f"{WEAK}:{plain}",) if len(plain) >= _TAX_ID_LENGTH_MIN and _tells_apart(plain) else ()


def _tells_apart(plain: str) -> bool:
    """Tell whether a number can name somebody: words without a digit ("applied for") and one digit repeated cannot."""
    return len({letter for letter in plain if letter.isdigit()}) > 1


def prefix_country(plain: str) -> str:
    """Name the country whose prefix opens a number of lower-case letters and digits, "" where there is none."""
    for length in (3, 2):
        alias = _PREFIX_ALIASES.get(plain[:length])
        if alias:
            return alias
    return plain[:2] if plain[:2].isalpha() and plain[:2] in tax_id_kinds() else ""


def _read_as(plain: str, country: str) -> str | None:
    if not plain or not country:
        return None
    upper = plain.upper()
    for kind in tax_id_kinds().get(country, ()):
        rules = _rules(kind.country, kind.module)
        for candidate in (upper, upper[2:]) if upper[:2] == country.upper() else (upper,):
            try:
                number = str(rules.validate(candidate))
            except ValidationError:
                continue
            number = number.lower() if number.isascii() and number.isalnum() else alphanumeric(number)
            number = number.removeprefix(country)[kind.part]
            if len(set(number)) == 1:
                return None
            return f"{country}-{kind.kind}:{country}{number}"
    return None


@cache
def _rules(country: str, module: str) -> ModuleType:
    rules = get_cc_module(country, module)
    assert rules is not None, f"tax_ids.csv names stdnum.{country}.{module}, which python-stdnum does not have"
    return cast("ModuleType", rules)
