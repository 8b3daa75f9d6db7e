"""Invented tax and company numbers that are right by their check digits.

A number is drawn from its country's pattern and its check characters are found by trying them against python-stdnum,
the same rules the hub validates with. Nothing promises that a number is unassigned; it belongs to nobody here.
"""

from collections.abc import Callable
from itertools import product
from random import Random

from stdnum import lei as lei_numbers
from stdnum import luhn
from stdnum.at import uid as austria
from stdnum.be import vat as belgium
from stdnum.bg import vat as bulgaria
from stdnum.ch import vat as switzerland
from stdnum.cn import uscc as china
from stdnum.cz import dic as czechia
from stdnum.de import vat as germany
from stdnum.dk import cvr as denmark
from stdnum.eg import tn as egypt
from stdnum.es import nif as spain
from stdnum.fi import alv as finland
from stdnum.fr import tva as france
from stdnum.gb import vat as britain
from stdnum.gr import vat as greece
from stdnum.ie import vat as ireland
from stdnum.it import iva as italy
from stdnum.jp import cn as japan
from stdnum.nl import btw as netherlands
from stdnum.no import mva as norway
from stdnum.pl import nip as poland
from stdnum.se import vat as sweden
from stdnum.us import ein as united_states

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVW"

# "#" any digit, "*" a digit but 0, "?" a check digit, "!" a check letter.
PATTERNS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "AT": ("ATU#######?", austria.is_valid),
    "BE": ("BE0*######??", belgium.is_valid),
    "BG": ("BG########?", bulgaria.is_valid),
    "CH": ("CHE*#######?MWST", switzerland.is_valid),
    "CN": ("91310115MA1*#####?", china.is_valid),
    "CZ": ("CZ*######?", czechia.is_valid),
    "DE": ("DE*#######?", germany.is_valid),
    "DK": ("DK*######?", denmark.is_valid),
    "EG": ("*########", egypt.is_valid),
    "ES": ("ESB*######?", spain.is_valid),
    "FI": ("FI*######?", finland.is_valid),
    "FR": ("FR??*#######?", france.is_valid),
    "GB": ("GB*######??", britain.is_valid),
    "GR": ("EL0#######?", greece.is_valid),
    "IE": ("IE*######!", ireland.is_valid),
    "IT": ("IT*######0##?", italy.is_valid),
    "JP": ("?************", japan.is_valid),
    "NL": ("NL*#######?B01", netherlands.is_valid),
    "NO": ("NO9#######?MVA", norway.is_valid),
    "PL": ("PL*########?", poland.is_valid),
    "SE": ("SE55*######?01", sweden.is_valid),
    "US": ("47-#######", united_states.is_valid),
}

COUNTRIES_WITHOUT_CHECK_DIGITS = frozenset({"EG", "US"})


def tax_number(country: str, random: Random) -> str:
    """Draw a valid tax number of a country, as its authority prints it."""
    pattern, is_valid = PATTERNS[country]
    while True:
        drawn = "".join(_drawn(mark, random) for mark in pattern)
        if country == "FR":
            siren = luhn_completed(drawn[4:12])
            return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
        for number in _completions(drawn):
            if is_valid(number):
                return number


def tax_number_is_valid(country: str, number: str) -> bool:
    """Say whether a number obeys the check digits of its country."""
    return PATTERNS[country][1](number)


def with_wrong_check_digit(country: str, number: str) -> str:
    """Change the first digit, counted from the right, whose change makes the number invalid."""
    for position in range(len(number) - 1, -1, -1):
        if number[position] in DIGITS:
            changed = number[:position] + str((int(number[position]) + 1) % 10) + number[position + 1 :]
            if not tax_number_is_valid(country, changed):
                return changed
    raise AssertionError(number)


def registration_number(country: str, tax_id: str, random: Random) -> str:
    """Draw a company register number in the country's shape, or give back "" where the demo firm records none."""
    digits = "".join(digit for digit in tax_id if digit in DIGITS)
    match country:
        case "DE":
            return f"HRB {random.randint(10_000, 249_999)}"
        case "AT":
            return f"FN {random.randint(100_000, 599_999)}{random.choice('abdfghikmpstvwxyz')}"
        case "GB":
            return f"{random.randint(1_000_000, 15_999_999):08d}"
        case "IE":
            return str(random.randint(300_000, 749_999))
        case "FR":
            return digits[2:]
        case "NO" | "DK" | "FI" | "BE":
            return digits
        case "NL":
            return f"{random.randint(10_000_000, 89_999_999)}"
        case _:
            return ""


def duns_number(random: Random) -> str:
    """Draw nine digits; D-U-N-S numbers have carried no check digit since 2006."""
    return f"{random.randint(100_000_000, 999_999_999)}"


def lei_number(random: Random) -> str:
    """Draw a legal entity identifier with valid ISO 7064 mod 97-10 check digits."""
    stem = "9845" + "00" + "".join(random.choice(DIGITS + LETTERS) for _ in range(12))
    return next(stem + f"{check:02d}" for check in range(2, 99) if lei_numbers.is_valid(stem + f"{check:02d}"))


def luhn_completed(digits: str) -> str:
    """Append the Luhn check digit."""
    return digits + luhn.calc_check_digit(digits)


def _drawn(mark: str, random: Random) -> str:
    if mark == "#":
        return random.choice(DIGITS)
    return random.choice(DIGITS[1:]) if mark == "*" else mark


def _completions(drawn: str) -> list[str]:
    """Fill the check characters of a drawn number in every possible way; itself when it has none."""
    alphabets = [DIGITS if mark == "?" else LETTERS for mark in drawn if mark in "?!"]
    template = drawn.replace("?", "{}").replace("!", "{}")
    return [template.format(*characters) for characters in product(*alphabets)]
