"""The traps of real life, each with a name, and the spoiling of single records.

Some traps are facts about the true firm (a family of one brand); others are damage that a record took on its way into a
system. Each is counted, so that a test can ask for it by name.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from mdm.demo.tax_numbers import COUNTRIES_WITHOUT_CHECK_DIGITS, with_wrong_check_digit


@dataclass(slots=True)
class Sighting:
    """One record in the making: what one system knows of one true entity, in the hub's words, not yet the vendor's.

    references  attribute -> true id of the record it names; becomes that system's own key
    """

    instance: str
    object: str
    scope: str
    native_id: str
    entity_type: str
    truth: str
    values: dict[str, Any]
    source_time: datetime
    references: dict[str, str] = field(default_factory=dict)
    traps: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Trap:
    """What makes the trap hard, and how many records at scale 1 are at least in it."""

    story: str
    records_count_min: int


TRAPS: dict[str, Trap] = {
    "same_brand_other_entity": Trap("one brand, several legal entities with tax ids of their own", 300),
    "branch": Trap("a branch or site with its own address and phone, the same legal entity", 60),
    "shared_domain": Trap("legal entities of one group share the web domain", 150),
    "shared_switchboard": Trap("group companies or tenants of a serviced office share one phone number", 100),
    "shared_mailbox": Trap(
        "strangers share the invoice mailbox of their bookkeeper; freelancers share one mailbox", 20
    ),
    "renamed": Trap("one system still has the former name", 40),
    "acquired": Trap("bought by another client; part of the records shows the buyer's domain", 20),
    "successor": Trap("a wound-up company and the new one that took over name, place and domain", 20),
    "namesake": Trap("strangers of one name in two countries", 40),
    "umlaut": Trap("accents and umlauts, written out or dropped elsewhere", 100),
    "script": Trap("the own script in one system, the Latin twin in another", 60),
    "no_legal_form": Trap("the sales team types the brand without the legal form", 100),
    "typo": Trap("one keystroke wrong in the name", 60),
    "half_empty": Trap("a name, a country and little else", 60),
    "placeholder": Trap("n/a, test, 000000, noreply@ where a value should be", 60),
    "duplicate_in_source": Trap("the same entity entered twice in one system", 60),
    "tax_id_typo": Trap("a tax id with a wrong digit", 10),
    "tax_id_of_sister": Trap("the tax id was copied from a sister company", 8),
    "same_title": Trap("'Phase 2' and its like, under several clients", 60),
    "project_phase": Trap("phases of one engagement, each a project of its own", 60),
    "child_before_parent": Trap("a project or contract is delivered before its client", 100),
    "parent_never_comes": Trap("the client that the record names is not delivered at all", 4),
    "project_template": Trap("a template that must not become a project", 4),
    "contract_renewal": Trap("the next term of a contract under the same name", 60),
    "contract_amendment": Trap("an amendment under the name and term of its contract", 30),
    "missing_name": Trap("a record that must be rejected: the required name is missing", 5),
    "unknown_code": Trap("a code that no code list knows", 10),
    "person_namesake": Trap("two consultants of one name", 8),
    "person_renamed": Trap("a consultant who married; name differs, mailbox and number stay", 8),
}

_NAMES = ("legal_name", "name", "last_name")
_KEPT_WHEN_HALF_EMPTY = frozenset({*_NAMES, "first_name", "country", "currency", "email"})
_PLACEHOLDERS = {
    "tax_id": ("000000", "n/a", "unknown"),
    "phone": ("000000", "n/a", "123456"),
    "email": ("noreply@example.com", "test@test.com", "n/a"),
    "website": ("n/a", "www.test.com", "none"),
    "duns": ("000000000",),
    "registration_number": ("tbd", "-"),
    "po_number": ("n/a", "TBC", "000000"),
    "street": ("test", "xxx", "."),
}
_UNKNOWN_CODES = {
    "payment_terms": "when convenient",
    "billing_method": "Barter",
    "currency": "QQQ",
    "industry": "Alchemy",
}


def quota(count: int, scale: float) -> int:
    """Scale a count down, but never to nothing."""
    return max(1, round(count * scale))


@dataclass(frozen=True, slots=True)
class _Firm:
    """What spoiling one record needs to know of the others.

    sister_tax_ids     true id of a company -> tax id of its holding
    columns_by_object  (instance, object) -> attributes that the system delivers
    referenced         true ids that other records name
    """

    sister_tax_ids: Mapping[str, str]
    columns_by_object: Mapping[tuple[str, str], Collection[str]]
    referenced: frozenset[str]

    def visible(self, sighting: Sighting, names: Iterable[str]) -> list[str]:
        """Pick the attributes that the record has and its system delivers."""
        columns = self.columns_by_object[sighting.instance, sighting.object]
        return [name for name in names if name in sighting.values and name in columns]


def spoil(
    sightings: Sequence[Sighting],
    sister_tax_ids: Mapping[str, str],
    columns_by_object: Mapping[tuple[str, str], Collection[str]],
    random: Random,
    scale: float,
) -> None:
    """Spoil records in place, each at most once, the exact number of each kind, where the damage can be seen."""
    fresh = list(sightings)
    firm = _Firm(
        sister_tax_ids,
        columns_by_object,
        frozenset(name for sighting in sightings for name in sighting.references.values()),
    )
    for trap, count, spoiler in _SPOILERS:
        spoiled = 0
        random.shuffle(fresh)
        for sighting in list(fresh):
            if spoiled == quota(count, scale):
                break
            if spoiler(sighting, random, firm):
                sighting.traps.add(trap)
                fresh.remove(sighting)
                spoiled += 1


def mistyped(text: str, random: Random) -> str:
    """Swap, drop or double one letter after the first; a text too short stays as it is."""
    letters = [
        position for position in range(1, len(text) - 1) if text[position].isalpha() and text[position + 1].isalpha()
    ]
    if len(text) < 6 or not letters:
        return text
    at = random.choice(letters)
    wrong = random.choice((text[at + 1] + text[at], text[at], text[at] * 2 + text[at + 1]))
    return text[:at] + wrong + text[at + 2 :]


def _with_typo(sighting: Sighting, random: Random, _: _Firm) -> bool:
    name = next((name for name in _NAMES if name in sighting.values), "")
    right = sighting.values.get(name, "")
    sighting.values[name] = mistyped(right, random) if right.isascii() else right
    return bool(sighting.values[name] != right)


def _with_little_left(sighting: Sighting, _: Random, __: _Firm) -> bool:
    if sighting.entity_type != "customer" or "branch" in sighting.traps:
        return False
    sighting.values = {name: value for name, value in sighting.values.items() if name in _KEPT_WHEN_HALF_EMPTY}
    sighting.values.pop("email", None)
    sighting.references.clear()
    return True


def _with_placeholder(sighting: Sighting, random: Random, firm: _Firm) -> bool:
    filled = firm.visible(sighting, _PLACEHOLDERS)
    if not filled or sighting.entity_type == "resource":
        return False
    name = random.choice(filled)
    sighting.values[name] = random.choice(_PLACEHOLDERS[name])
    return True


def _with_wrong_tax_id(sighting: Sighting, _: Random, firm: _Firm) -> bool:
    if not firm.visible(sighting, ["tax_id"]) or sighting.values["country"] in COUNTRIES_WITHOUT_CHECK_DIGITS:
        return False
    sighting.values["tax_id"] = with_wrong_check_digit(sighting.values["country"], sighting.values["tax_id"])
    return True


def _with_tax_id_of_sister(sighting: Sighting, _: Random, firm: _Firm) -> bool:
    if not firm.visible(sighting, ["tax_id"]) or sighting.truth not in firm.sister_tax_ids:
        return False
    sighting.values["tax_id"] = firm.sister_tax_ids[sighting.truth]
    return True


def _with_unknown_code(sighting: Sighting, random: Random, firm: _Firm) -> bool:
    filled = firm.visible(sighting, _UNKNOWN_CODES)
    if filled:
        name = random.choice(filled)
        sighting.values[name] = _UNKNOWN_CODES[name]
    return bool(filled)


def _customer_without_name(sighting: Sighting, _: Random, firm: _Firm) -> bool:
    if sighting.entity_type != "customer" or sighting.truth in firm.referenced:
        return False
    del sighting.values["legal_name"]
    return True


def _contract_without_name(sighting: Sighting, _: Random, __: _Firm) -> bool:
    if sighting.entity_type != "contract" or sighting.native_id == sighting.values["number"]:
        return False
    del sighting.values["name"], sighting.values["number"]
    return True


# Chosen: how many records are spoiled at scale 1, in this order; a record is spoiled once.
_SPOILERS: tuple[tuple[str, int, Callable[[Sighting, Random, _Firm], bool]], ...] = (
    ("typo", 110, _with_typo),
    ("half_empty", 90, _with_little_left),
    ("placeholder", 90, _with_placeholder),
    ("tax_id_typo", 14, _with_wrong_tax_id),
    ("tax_id_of_sister", 10, _with_tax_id_of_sister),
    ("unknown_code", 16, _with_unknown_code),
    ("missing_name", 4, _customer_without_name),
    ("missing_name", 4, _contract_without_name),
)
