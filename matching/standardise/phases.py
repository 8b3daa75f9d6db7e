"""The part that a name says it is: "Phase 2", "Teil II", "Amendment No. 3".

Everything else about two parts of one undertaking is alike (client, name, people, rates), so the number alone tells
them apart. A name that tells no part gives nothing, and nothing contradicts nothing.
"""

import re

from matching.standardise.text import fold, words

_SCOPE_BY_WORD = {
    word: scope
    for scope, spellings in {
        "phase": "phase phases ph fase faza etappe stage etape etapa step wave welle release increment sprint",
        "part": "part teil parte partie deel lot los tranche module modul workstream batch",
        "amendment": "amendment amend amd addendum avenant nachtrag variation change cr aditivo",
        "renewal": "renewal renew verlangerung extension",
    }.items()
    for word in spellings.split()
}
_FILLERS = frozenset({"no", "nr", "num", "number", "order", "request"})
_PLAIN_WORDS = frozenset({"change", "variation"})
"""They tell a part only with a filler: "change order 2" does, "change two systems" does not."""
_NUMBER_BY_WORD = {
    word: str(number)
    for number, spellings in enumerate(
        (
            "i one first erste ein eins premiere",
            "ii two second zweite zwei deuxieme",
            "iii three third dritte drei troisieme",
            "iv four fourth vierte vier quatrieme",
            "v five fifth funfte funf cinquieme",
            "vi six sixth sechste sechs",
            "vii seven seventh siebte sieben",
            "viii eight eighth achte acht",
            "ix nine ninth neunte neun",
            "x ten tenth zehnte zehn",
        ),
        1,
    )
    for word in spellings.split()
}
_TOLD_WITHOUT_NUMBER = frozenset({"amendment", "renewal"})
_JOINED = re.compile(r"^(?P<word>[a-z]{2,})(?P<number>[0-9]{1,2})$")
_COUNT = re.compile(r"^0*(?P<number>[0-9]{1,2})(?:st|nd|rd|th|e|er|eme)?$")
_ORDINAL = re.compile(r"^[0-9]{1,2}(?:st|nd|rd|th|e|er|eme)$")


def phase(value: str, _country: str) -> tuple[str, ...]:
    """Give "scope:number" for each part that the name tells, as "phase:2" for "Roll-out Ph. II"; a bare "2" is a phase.

    Years are no numbers of a part: at most two digits count.
    """
    found = dict[str, None]()
    left = words(fold(value))
    if len(left) == 1 and _count(left[0]):
        return (f"phase:{_count(left[0])}",)
    for position, word in enumerate(left):
        joined = _JOINED.match(word)
        if joined and joined["word"] in _SCOPE_BY_WORD:
            found[f"{_SCOPE_BY_WORD[joined['word']]}:{int(joined['number'])}"] = None
        elif word in _SCOPE_BY_WORD:
            number = _after(left, position) or _before(left, position)
            if number:
                found[f"{_SCOPE_BY_WORD[word]}:{number}"] = None
    return tuple(found)


def part(value: str, _country: str) -> tuple[str, ...]:
    """Give what part of an undertaking a name says it is, "whole" if none: "amendment", "renewal", "phase 2".

    For comparing, where `phase` is for vetoing: the same name with and without "Amendment 1" is two contracts.
    """
    left = words(fold(value))
    if not left:
        return ()
    scopes = {_SCOPE_BY_WORD[word] for word in left if word in _SCOPE_BY_WORD and word not in _PLAIN_WORDS}
    told = scopes & _TOLD_WITHOUT_NUMBER
    for found in phase(value, ""):
        scope, _, number = found.partition(":")
        told.add(scope if scope in _TOLD_WITHOUT_NUMBER else f"{scope} {number}")
    return tuple(sorted(told)) or ("whole",)


def _after(left: list[str], position: int) -> str:
    following = left[position + 1 : position + 4]
    numbers = [word for word in following if word not in _FILLERS]
    if left[position] in _PLAIN_WORDS and following[:1] == numbers[:1]:
        return ""
    return _count(numbers[0]) if numbers else ""


def _before(left: list[str], position: int) -> str:
    """Read "2nd phase" and "2. Phase": before its word, a bare number counts only when the word ends the name."""
    word = left[position - 1] if position else ""
    is_number_word = len(word) > 1 and word in _NUMBER_BY_WORD
    is_bare_number = word.isdigit() and position == len(left) - 1
    return _count(word) if is_number_word or is_bare_number or _ORDINAL.match(word) else ""


def _count(word: str) -> str:
    if word in _NUMBER_BY_WORD:
        return _NUMBER_BY_WORD[word]
    found = _COUNT.match(word)
    return str(int(found["number"])) if found else ""
