"""The part that a name says it is: "Phase 2", "Teil II", "Amendment No. 3".

Everything else about two parts of one undertaking is alike (client, name, people, rates), so the number alone tells
them apart. A name that tells no part gives nothing, and nothing contradicts nothing.
"""

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from matching.standardise.text import fold, words

_SCOPE_BY_WORD = {
    word: scope
    for scope, spellings in {
        "phase": "phase phases ph fase faza etappe stage etape etapa step wave welle release increment sprint",
        "part": "part teil parte partie deel lot los tranche module modul workstream batch",
        "amendment": "amendment amend amdt amd addendum avenant nachtrag anderung variation change cr aditivo adenda",
        "renewal": "renewal renew verlangerung extension prolongation prolongacion rinnovo",
        "order": "sow calloff abruf einzelauftrag leistungsschein",
        "year": "year yr jahr vertragsjahr annee ano anno",
    }.items()
    for word in spellings.split()
}
_FILLERS = frozenset({"no", "nr", "num", "number", "order", "request"})
_SEVERAL_WORDS = (
    ("statement of work", "sow"),
    ("work order", "sow"),
    ("task order", "sow"),
    ("service order", "sow"),
    ("order form", "sow"),
    ("call off", "calloff"),
    ("supplemental agreement", "amendment"),
)
"""Words that only together name a part."""
_PLAIN_WORDS = frozenset({"change", "variation", "anderung"})
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
_ROMANS = frozenset({"ii", "iii", "iv", "vi", "vii", "viii", "ix"})
"""Roman numbers that end a name and mean nothing else; "i", "v" and "x" do."""
_LETTERS = frozenset("bcdfgh")
_LETTERS_AT_THE_END = frozenset("ae")
"""Also words of their own within a name."""
_SLIP_LENGTH_MIN = 7
"""Letters from which a slip of the pen is read over: shorter words are too near to others (chosen)."""
_JOINED = re.compile(r"^(?P<word>[a-z]{2,})(?P<number>[0-9]{1,2})$")
_COUNT = re.compile(r"^0*(?P<number>[0-9]{1,2})(?:st|nd|rd|th|e|er|eme)?$")
_ORDINAL = re.compile(r"^[0-9]{1,2}(?:st|nd|rd|th|e|er|eme)$")


def phase(value: str, _country: str) -> tuple[str, ...]:
    """Give "scope:number" for each part that the name tells, as "phase:2" for "Roll-out Ph. II"; a bare "2" is a phase.

    Years are no numbers of a part: at most two digits count.
    """
    found = dict[str, None]()
    left = _read(value)
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
    if not found and _at_the_end(left):
        found[f"phase:{_at_the_end(left)}"] = None
    return tuple(found)


def part(value: str, _country: str) -> tuple[str, ...]:
    """Give what part of an undertaking a name says it is, "whole" if none: "amendment", "renewal", "phase 2".

    For comparing, where `phase` is for vetoing: the same name with and without "Amendment 1" is two contracts, and so
    are "SOW 2" and "Amendment 1 to SOW 2": all that a name tells is one form.
    """
    left = _read(value)
    if not left:
        return ()
    scopes = {_SCOPE_BY_WORD[word] for word in left if word in _SCOPE_BY_WORD and word not in _PLAIN_WORDS}
    told = scopes & _TOLD_WITHOUT_NUMBER
    for found in phase(value, ""):
        scope, _, number = found.partition(":")
        told.add(scope if scope in _TOLD_WITHOUT_NUMBER else f"{scope} {number}")
    return (" ".join(sorted(told)) or "whole",)


def without_part(value: str) -> list[str]:
    """Give the words of a name without those that tell its part, as `part` does: "Roll-out Phase II" is "roll out"."""
    left = _read(value)
    told = {found.partition(":")[0] for found in phase(value, "")} | (
        _TOLD_WITHOUT_NUMBER & {word for found in part(value, "") for word in found.split()}
    )
    kept = [True] * len(left)
    for position, word in enumerate(left):
        joined = _JOINED.match(word)
        if _SCOPE_BY_WORD.get(joined["word"] if joined else word) not in told:
            continue
        kept[position] = False
        if _before(left, position):
            kept[position - 1] = False
        for following in range(position + 1, min(position + 4, len(left))):
            is_number = bool(_count(left[following])) or left[following] in _LETTERS | _LETTERS_AT_THE_END
            kept[following] = not (is_number or left[following] in _FILLERS)
            if is_number or kept[following]:
                break
    if all(kept) and _at_the_end(left):
        kept[-1] = False
    return [word for word, stays in zip(left, kept, strict=True) if stays]


def _read(value: str) -> list[str]:
    """Give the words of a name, those that tell a part in their one spelling."""
    joined = " ".join(words(fold(value)))
    for several, one in _SEVERAL_WORDS:
        joined = joined.replace(several, one)
    return [_without_slip(word) for word in joined.split()]


@lru_cache(10_000)
def _without_slip(word: str) -> str:
    if len(word) < _SLIP_LENGTH_MIN or word in _SCOPE_BY_WORD or not word.isalpha():
        return word
    long = (known for known in _SCOPE_BY_WORD if len(known) >= _SLIP_LENGTH_MIN)
    return next((known for known in long if OSA.distance(word, known, score_cutoff=1) <= 1), word)


def _at_the_end(left: list[str]) -> str:
    """Read "Roll-out 2" and "Roll-out II": a small number after a word, which no version of "S/4" is."""
    if len(left) < 2 or len(left[-2]) < 2 or not left[-2].isalpha():
        return ""
    last = left[-1]
    return _NUMBER_BY_WORD[last] if last in _ROMANS else last if last in "123456789" else ""


def _after(left: list[str], position: int) -> str:
    following = left[position + 1 : position + 4]
    numbers = [word for word in following if word not in _FILLERS]
    if left[position] in _PLAIN_WORDS and following[:1] == numbers[:1]:
        return ""
    if following[:1] and (following[0] in _LETTERS or (following[0] in _LETTERS_AT_THE_END and len(following) == 1)):
        return following[0]
    return _count(numbers[0]) if numbers else ""


def _before(left: list[str], position: int) -> str:
    """Read "2nd phase" and "2. Phase": before its word, a bare number counts only when the word ends the name."""
    word = left[position - 1] if position else ""
    if _SCOPE_BY_WORD[left[position]] == "year":  # "2nd year" is a part, "one year" a length
        return _count(word) if _ORDINAL.match(word) else ""
    is_number_word = len(word) > 1 and word in _NUMBER_BY_WORD
    is_bare_number = word.isdigit() and position == len(left) - 1
    return _count(word) if is_number_word or is_bare_number or _ORDINAL.match(word) else ""


def _count(word: str) -> str:
    if word in _NUMBER_BY_WORD:
        return _NUMBER_BY_WORD[word]
    found = _COUNT.match(word)
    return str(int(found["number"])) if found else ""
