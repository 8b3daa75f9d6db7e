"""Compare forms of the names of companies and people.

A company's compare name is what is left when everything that writers add, shorten or turn round is taken away: legal
form, article, "and", abbreviations, points. A former or trading name is a name of its own. Initials and short brands
are made of this form by the engine, not here.
"""

import re
from collections.abc import Container, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from matching.standardise import legal
from matching.standardise.tables import LegalForm, legal_forms, name_words
from matching.standardise.text import CHUNK, fold, fold_tidy, tidy, words

_OTHER_NAME = re.compile(
    r"""[\s,;(\[-]*(?<!\w)(?:
        t/a | d/?b/?a | d\.b\.a\. | a/?k/?a | f/?k/?a | f\.k\.a\. | o/a
      | (?:also\ known | doing\ business | trading | operating)\ as
      | (?:formerly|previously)(?:\ (?:known\ as|called))? | formally\ known\ as
      | vormals | fr(?:ü|ue)her | ehemals | firmierend\ als | anciennement
      | nom\ commercial | voorheen | tidligere | tidigare
    )(?!\w)[\s:.,-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_PARENTHESIS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_LAST_PARENTHESIS = re.compile(r"[(\[]([^()\[\]]*)[)\]]$")
# A branch is its company. English "branch" counts only after a comma, for "Olive Branch" is a name.
_BRANCH = re.compile(
    r"""(?<=\w)[\s.,;)–-]*(?:
        \b(?: (?:zweig)?niederlassung | zweigstelle | betriebsst(?:ä|ae)tte | succursale | sucursal | sede\ secondaria
             | bijkantoor | oddział | odštěpný\ závod | organizační\ složka )\b
      | \bc/o\s
      | ,\s[\w\s]{2,40}\bbranch(?:\ office)?$
    ).*$""",
    re.IGNORECASE | re.VERBOSE,
)
CONNECTORS = frozenset({"and", "und", "et", "og", "och", "oraz"})
SHORT_CONNECTORS = frozenset(
    {"e", "y", "i", "u"}
)  # Portuguese and Italian, Spanish, Polish, Croatian: only between long words
ARTICLE = "the"
NAME_PARTICLES_MIN = 3


def company_name(value: str, country: str) -> tuple[str, ...]:
    """Give the compare names of a company: its name, and each trading or former name written into it.

    Legal form, article and "and" are taken off, "Foods, Ashcroft PLC" is put right, "I.B.M." is "ibm", "intl" is
    "international". Where nothing would be left, the whole name is kept. A parenthesis that only gives the initials is
    another name; any other belongs to the name, for "Acme (UK)" and "Acme (Ireland)" are two legal entities.
    """
    names = dict.fromkeys(_compare_name(read) for read in _read(value, country))
    names.pop("", None)
    return tuple(names)


def legal_form(value: str, country: str) -> tuple[str, ...]:
    """Give the classes of legal form in a company's name, or in a value that is nothing but a form, as "country:class".

    The country stands only where one country alone knows the class ("pl:spzoo"); otherwise it is "*", so that a record
    without a country does not contradict one with it.
    """
    part, left, found = _read(value, country)[0]
    return form_classes(part.words, left, found, country=country, written=f"- {part.written}")


def registered_name(value: str, country: str) -> tuple[str, ...]:
    """Give a company's compare name together with its class of legal form, or nothing where no form is written.

    "Ashcroft Foods Ltd" is "ashcroft foods *:ltd": two firms of one name seldom have one form as well.
    """
    forms = legal_form(value, country)
    name = _compare_name(_read(value, country)[0]) if forms else ""
    return (" ".join((name, *forms)),) if name else ()


def person_name(value: str, _country: str) -> tuple[str, ...]:
    """Give a person's compare name, given names first; titles, degrees and what stands in parentheses are left out.

    "Smith, Dr. Robert A." and "Bob A. Smith" are both "robert a smith": short given names are read as the long one
    where only one is meant.
    """
    folded = _PARENTHESIS.sub(" ", fold(value))
    head, comma, tail = folded.partition(",")
    titles, nicknames = name_words("title"), name_words("nickname")
    first, last = _without(words(tail), titles), _without(words(head), titles)
    left = [*first, *last] if comma and first else last
    if not left:
        left = words(folded)
    if len(left) > 1:
        left[0] = nicknames.get(left[0], left[0])
    joined = " ".join(left)
    return (joined,) if joined else ()


class _Part(NamedTuple):
    """One name as written, folded, and in words: a value holds one or more."""

    written: str
    folded: str
    words: list[str]


class _Read(NamedTuple):
    """A name parted from its legal forms; to be read only, for two forms share it."""

    part: _Part
    left: list[str]
    found: list[tuple[str, LegalForm]]


@lru_cache(CHUNK)
def _read(value: str, country: str) -> tuple[_Read, ...]:
    return tuple(
        _Read(part, *legal.take_off(without_article(part.words), country=country, written=part.written))
        for part in _parts(value)
    )


def _part(written: str) -> _Part:
    folded = fold_tidy(written) if written.isascii() else fold(written := legal.part_unspaced(written))
    return _Part(written, folded, words(folded))


def _parts(value: str) -> list[_Part]:
    """Part a name from the trading and former names written into it, and take off its branch; never none."""
    value = tidy(value)
    whole = _part(value)
    # Looking for the words is ten times quicker than splitting at the expressions (November 2026).
    if part_hints().isdisjoint(whole.words) and "/" not in value and not value.endswith((")", "]")):
        return [whole]
    return [_part(piece) for piece in _pieces(value)]


def holds_one(value: str) -> bool:
    """Tell whether a value that may hold several names, or a branch, holds but one name."""
    value = tidy(value)
    return _pieces(value) == [value]


def _pieces(value: str) -> list[str]:
    """Part a tidy name at the trading and former names written into it; never none."""
    pieces = _OTHER_NAME.split(_BRANCH.sub("", value))
    parts = [piece.strip(" ,;-)]" if place else " ,;-") for place, piece in enumerate(pieces)]
    parts = [part for part in parts if part] or [value]
    inside = _LAST_PARENTHESIS.search(parts[0])
    if inside:
        before, initials = parts[0][: inside.start()], "".join(words(fold(inside.group(1))))
        if len(initials) > 1 and initials in _initials(before):
            parts[:1] = [before, initials]
    return parts


@cache
def part_hints() -> frozenset[str]:
    """Give the words without which a value holds one name, and no branch."""
    return frozenset(name_words("other_name")) | frozenset(name_words("branch"))


def _initials(name: str) -> set[str]:
    left = words(fold(name))
    meant = [
        word
        for word in left
        if word not in CONNECTORS and word not in {"of", "for", "the", "de", "la", "du", "des", "der"}
    ]
    return {
        "".join(word[0] for word in left),
        "".join(word[0] for word in meant),
        "".join(word[0] for word in meant[:-1]),
    } - {""}


def _compare_name(read: _Read) -> str:
    part, left, found = read
    if part.folded.count(",") == 1:
        left = _put_right(left, part.folded, has_form=bool(found))
    abbreviations = name_words("abbreviation")
    left = _without_connectors([abbreviations.get(word, word) for word in left])
    return " ".join(_joined_initials(left)) or " ".join(part.words)


def form_classes(
    name: Sequence[str], left: Sequence[str], found: list[tuple[str, LegalForm]], *, country: str, written: str
) -> tuple[str, ...]:
    """Name the classes of the legal forms in a name's words, given what they were parted to.

    A name that is nothing but a form, or none but for the words before it, is looked at as if it had a word more.
    """
    if not found or "".join(left) in legal_forms():
        found = legal.take_off(["", *name], country=country, written=written)[1]
    return legal.classes(found)


def without_article(left: Sequence[str]) -> list[str]:
    """Drop a leading or trailing "the", unless it is all there is."""
    if len(left) > 1 and left[0] == ARTICLE:
        left = left[1:]
    return list(left[:-1] if len(left) > 1 and left[-1] == ARTICLE else left)


def _put_right(left: list[str], folded: str, *, has_form: bool) -> list[str]:
    """Turn "foods, ashcroft plc" round: one plain business word, a comma, then the name."""
    before = words(folded.partition(",")[0])
    if (
        len(before) == 1
        and len(left) > 1
        and left[0] == before[0]
        and left[0] in name_words("noun")
        and (has_form or len(left) == 2)
    ):
        return [*left[1:], left[0]]
    return left


def _without_connectors(left: list[str]) -> list[str]:
    if CONNECTORS.isdisjoint(left) and SHORT_CONNECTORS.isdisjoint(left):
        return left
    return [word for place, word in enumerate(left) if word not in CONNECTORS and not _is_short_connector(left, place)]


def _is_short_connector(left: list[str], place: int) -> bool:
    if left[place] not in SHORT_CONNECTORS or not 0 < place < len(left) - 1:
        return False
    return len(left[place - 1]) >= NAME_PARTICLES_MIN and len(left[place + 1]) >= NAME_PARTICLES_MIN


def _joined_initials(left: list[str]) -> list[str]:
    """Join single letters that follow one another: "h m" is "hm", "j p morgan" is "jp morgan"."""
    if not left or min(map(len, left)) > 1:
        return left
    joined: list[str] = []
    for place, word in enumerate(left):
        if place and len(word) == 1 and len(left[place - 1]) == 1 and word.isalpha() and left[place - 1].isalpha():
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _without(names: list[str], titles: Container[str]) -> list[str]:
    return [word for word in names if word not in titles]
