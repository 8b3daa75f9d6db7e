"""Compare forms of telephone numbers, e-mail addresses and web sites.

A telephone number becomes its international digits by the dialling plan of its country, read from the metadata of
phonenumbers but applied here: a whole parse costs 20 µs and validates, which a compare form need not. Plans with
rules of their own (Argentina's 15, Brazil's carriers) go through phonenumbers.
"""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata
from publicsuffixlist import PublicSuffixList

from matching.standardise.tables import shared_domains
from matching.standardise.text import tidy, to_ascii

DIGITS_MIN = 6
DIGITS_MAX = 15  # ITU-T E.164
DIALLED_DIGITS_MAX = DIGITS_MAX + 4  # with an exit code
DIALLED_MAX = 7
"""First digits that tell how a number is dialled: an exit code, a country's code, the trunk prefix."""
PLUS_AMONG = 4
"""First letters of which one may be the plus: "(+44)" has it too."""
PHONE_LENGTH_MAX = 100
_DIALLED_KEPT = 100_000
_DIGITS_OF_UNKNOWN_COUNTRY = 9
"""Last digits kept when no country is known: as many as most plans have without trunk prefix, so that 020 7946 0958 and
+44 20 7946 0958 meet. Chosen; the shortest common national numbers (eight digits) stay whole."""
_NORTH_AMERICA = "1"
_NORTH_AMERICA_LENGTH = 10
_LOCAL_LENGTH = 7
_EXTENSION = re.compile(
    r"(?:\b(?:ext(?:ension)?|x|durchwahl|dw|poste|int|anexo|ramal)|#|;ext=)[\s.:=]*[0-9]{1,7}\s*$|(?<=[0-9])x[0-9]{1,7}\s*$"
)
_OPTIONAL_TRUNK = re.compile(r"\(0\)")
_NOT_DIGIT = re.compile(r"[^0-9]+")
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_VANITY = re.compile(r"^[+0-9(][0-9 ().+-]*[a-z][a-z0-9 ().-]{3,}$")
_SEQUENCES = ("0123456789", "9876543210", "1234567890")
_SEQUENCE_LENGTH = 10
_EMAIL = re.compile(r"([a-z0-9.!#$%&'*/=?^_`{|}~+-]+)@((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9])")
GMAIL = frozenset({"gmail.com", "googlemail.com"})
_HOST_PATTERN = r"(?:[a-z][a-z0-9+.-]*:)?/{0,3}(?:[^/@\s]*@)?([^/?#:\s]+)"
_HOST = re.compile(f"^{_HOST_PATTERN}")
_HOST_OF_LINE = re.compile(f"^(?:{_HOST_PATTERN})?.*$", re.MULTILINE)
_LABEL = re.compile(r"^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$")
_HOST_LENGTH_MAX = 253  # RFC 1035
LENGTH_MAX = 500  # characters read of an address; RFC 5321 allows 254 for e-mail
NOBODY = frozenset(
    {
        "noreply",
        "no-reply",
        "no_reply",
        "donotreply",
        "do-not-reply",
        "nobody",
        "none",
        "na",
        "n/a",
        "test",
        "unknown",
        "noemail",
        "no-email",
        "null",
        "asdf",
        "xxx",
        "abc",
    }
)


DOMAIN_DROPPED = ("free_mail", "platform", "example")


def phone(value: str, country: str) -> tuple[str, ...]:
    """Give the international digits of a telephone number; without a country, its last nine.

    Extensions are dropped, "+44 (0)20" is "4420", and a North American number without area code keeps its seven digits.
    """
    written = _EXTENSION.sub("", to_ascii(value[:PHONE_LENGTH_MAX]))
    if _VANITY.match(written):
        written = written.translate(_KEYPAD)
    digits = _NOT_DIGIT.sub("", _OPTIONAL_TRUNK.sub("", written))
    if not DIGITS_MIN <= len(digits) <= DIALLED_DIGITS_MAX or _is_filler(digits):
        return ()
    found = _international(written, digits, country)
    return (found,) if DIGITS_MIN <= len(found) <= DIGITS_MAX and not _is_filler(found) else ()


def email(value: str, _country: str) -> tuple[str, ...]:
    """Give an e-mail address in lower case without plus-tag, a Gmail box without dots, a nobody's box not at all."""
    written = tidy(value[:LENGTH_MAX]).lower()
    if not written.isascii():
        box, _, host = written.rpartition("@")
        written = f"{to_ascii(box)}@{_ascii_host(host.strip(' >)];,'))}"
    found = _EMAIL.search(written)
    if found is None:
        return ()
    local, host = found.groups()
    local = local.partition("+")[0] or local
    if host in GMAIL:
        local, host = local.replace(".", ""), "gmail.com"
    if not local.strip(".") or local in NOBODY or host in shared_domains("example"):
        return ()
    return (f"{local}@{host}",)


def email_domain(value: str, _country: str) -> tuple[str, ...]:
    """Give the registrable domain of an e-mail address, unless it is a free mail provider's."""
    _, at, host = tidy(value[:LENGTH_MAX]).rpartition("@")
    return registrable(host.strip(" >)];,").lower(), ("free_mail", "example")) if at else ()


def domain(value: str, _country: str) -> tuple[str, ...]:
    """Give the registrable domain of a web address, unless it is a platform where anybody has a page."""
    found = _HOST.match(tidy(value[:LENGTH_MAX]).lower())
    return registrable(found.group(1), DOMAIN_DROPPED) if found else ()


def hosts_of(lines: Sequence[str]) -> list[str]:
    """Give the host of each web address as `domain` finds it, "" where there is none; lines in lower case."""
    return _HOST_OF_LINE.findall("\n".join(lines))


def _is_filler(digits: str) -> bool:
    significant = digits.lstrip("0")
    if len(significant) <= _SEQUENCE_LENGTH and any(significant in sequence for sequence in _SEQUENCES):
        return True
    return significant.count(significant[:1]) == len(significant)


def _international(written: str, digits: str, country: str) -> str:
    found = dialled(digits[:DIALLED_MAX], len(digits), country, is_abroad="+" in written[:PLUS_AMONG])
    return _parsed(digits[found.cut :], found.region) if found.region else found.head + digits[found.cut :]


class Dialled(NamedTuple):
    """Say how digits become international ones: some are cut off, some put before.

    region  whose plan rewrites what is left, "" where nothing else is to be done
    """

    cut: int
    head: str = ""
    region: str = ""


@lru_cache(_DIALLED_KEPT)
def dialled(start: str, length: int, country: str, *, is_abroad: bool) -> Dialled:
    """Say how a number becomes international, by its first digits and its length.

    start  seven digits; four will do with a plus, and where they do not begin with an exit code (00, 011)
    """
    code, trunk, has_own_rules = _plan(country.upper())
    if is_abroad:
        return _from_abroad(start, length, 0)
    for exit_code in ("00", "011") if code == _NORTH_AMERICA else ("00",):
        if start.startswith(exit_code) and length > _NORTH_AMERICA_LENGTH:
            return _from_abroad(start, length, len(exit_code))
    if not code:
        return Dialled(max(length - _DIGITS_OF_UNKNOWN_COUNTRY, 0))
    if has_own_rules:
        return Dialled(0, region=country)
    if code == _NORTH_AMERICA:
        cut = int(length > _NORTH_AMERICA_LENGTH and start.startswith("1"))
        return Dialled(cut) if length - cut == _LOCAL_LENGTH else Dialled(cut, code)
    if start.startswith(code) and length >= _NORTH_AMERICA_LENGTH + 1:
        return _from_abroad(start, length, 0)
    return Dialled(_trunk_length(start, length, trunk), code)


def _from_abroad(start: str, length: int, before: int) -> Dialled:
    """Read digits that begin with a country's code, once some before it are cut off."""
    for code_length in (1, 2, 3):
        code = start[before : before + code_length]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code or 0))
        if regions:
            _, trunk, has_own_rules = _plan(regions[0])
            cut = before + code_length
            if has_own_rules:
                return Dialled(cut, region=regions[0])
            return Dialled(cut + (_trunk_length(start[cut:], length - cut, trunk) if trunk == "0" else 0), code)
    return Dialled(before)


def _trunk_length(start: str, length: int, trunk: str) -> int:
    """Count the digits of a trunk prefix; one that is no zero (Russia's 8) only in a number too long with it."""
    is_cut = start.startswith(trunk) and (trunk.startswith("0") or length > _NORTH_AMERICA_LENGTH)
    return len(trunk) if is_cut else 0


def _parsed(national: str, country: str) -> str:
    try:
        number = phonenumbers.parse(national, country.upper())
    except NumberParseException:
        return national[-_DIGITS_OF_UNKNOWN_COUNTRY:]
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


@cache
def _plan(region: str) -> tuple[str, str, bool]:
    """Give a region's calling code, trunk prefix, and whether numbers are rewritten rather than cut."""
    plan = PhoneMetadata.metadata_for_region(region) if region else None
    if plan is None:
        return "", "", False
    return str(plan.country_code), plan.national_prefix or "", plan.national_prefix_transform_rule is not None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _ascii_host(host: str) -> str:
    """Give a host in ASCII (IDNA), "" where it cannot be one."""
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""


@lru_cache(maxsize=100_000)  # a firm's people share its host
def registrable(host: str, dropped: tuple[str, ...]) -> tuple[str, ...]:
    """Give the registrable domain of a host, unless it or the host is of one of the kinds dropped."""
    host = host.strip(".").removeprefix("www.")
    host = _ascii_host(host)
    if len(host) > _HOST_LENGTH_MAX or not all(_LABEL.match(label) for label in host.split(".")):
        return ()
    found = _suffixes().privatesuffix(host)
    if not found or found.replace(".", "").isdigit():
        return ()
    return () if any(found in shared_domains(kind) or host in shared_domains(kind) for kind in dropped) else (found,)
