"""What is done by default with a value of each kind: its compare form, comparison, blocking keys and strong rules.

A kind is a semantic type, told apart further where names of attributes do so (a text called `postal_code`, a date
called `date_of_birth`). `automatic.py` puts these together to a matching section; their reference page comes from here.

The bits follow the built-in entity types, which were measured on labelled sets (November 2026), rounded to what holds
for unknown data: a value that differs between systems without meaning anything takes little off.
"""

from dataclasses import dataclass
from typing import Final

Levels = tuple[tuple[str, float, float], ...]
"""(label, at_least, bits), best first."""


@dataclass(frozen=True, slots=True)
class Default:
    """Say what is done with the values of one kind.

    meaning        the values it is for, as the reference page tells
    levels         none: the feature serves blocking alone
    keys           blocking keys of the feature alone: transforms, "" for the whole value
    keys_within    the same for records matched within a parent, where wide keys are cheap
    reads_country  whether the form depends on the record's country
    is_merged      whether all attributes of the kind make one feature
    is_veto        whether two different values of one scope keep two records apart
    is_strong      whether an equal value is always worth a look: at least a possible match
    """

    kind: str
    meaning: str
    form: str
    comparator: str = "exact"
    levels: Levels = ()
    term_frequency: bool = False
    keys: tuple[str, ...] = ()
    keys_within: tuple[str, ...] = ()
    reads_country: bool = False
    is_merged: bool = False
    is_veto: bool = False
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class PairedKey:
    """Block by two kinds together, each with its transform."""

    first: str
    first_transform: str
    second: str
    second_transform: str = ""


_COMPANY_LEVELS: Final[Levels] = (
    ("same", 0.95, 10),
    ("near", 0.9, 8),
    ("generic_word_more", 0.85, 6),
    ("initials", 0.8, 4),
    ("word_more", 0.7, 5),
    ("most_words", 0.45, 1),
    ("brand", 0.25, -3),
    ("other", 0, -6),
)
_PERSON_LEVELS: Final[Levels] = (
    ("same", 0.95, 10),
    ("near", 0.8, 8.5),
    ("one_name", 0.7, 5),
    ("part", 0.45, 2.5),
    ("other", 0, -4),
)
_NAME_PART_LEVELS: Final[Levels] = (("same", 0.98, 4.5), ("near", 0.85, 3), ("other", 0, -2.5))

_TABLE: Final = (
    Default(
        "company_name",
        "type company_name: all names of a company together",
        "company_name",
        "company_name",
        _COMPANY_LEVELS,
        term_frequency=True,
        keys=("squashed", "sorted_tokens", "rare_tokens", "consonants:6"),
        keys_within=("tokens",),
        reads_country=True,
        is_merged=True,
    ),
    Default(
        "telling_name",
        "the same names: long ones of rare words say more",
        "company_name",
        "telling_name",
        (("very", 0.85, 5), ("rather", 0.5, 3), ("little", 0, 0)),
        reads_country=True,
    ),
    Default(
        "legal_form",
        "read from the company names",
        "legal_form",
        "exact",
        (("same", 1.0, 1), ("other", 0, -4)),
        reads_country=True,
    ),
    Default(
        "person_name",
        "type person_name: a whole name, words in any order",
        "person_name",
        "person_name",
        _PERSON_LEVELS,
        term_frequency=True,
        keys=("sorted_tokens", "token_pairs"),
        keys_within=("tokens",),
    ),
    Default(
        "given_name",
        "type person_name, called first or given name; where a whole name is composed of it, for blocking alone",
        "person_name",
        "string",
        _NAME_PART_LEVELS,
        term_frequency=True,
    ),
    Default(
        "family_name",
        "type person_name, called last or family name; where a whole name is composed of it, for blocking alone",
        "person_name",
        "string",
        _NAME_PART_LEVELS,
        term_frequency=True,
        keys_within=("",),
    ),
    Default(
        "title",
        "type text, the one a record is called by: named name, title, subject or label, else the first text",
        "text",
        "tokens",
        (("same", 0.98, 9.5), ("near", 0.85, 7), ("similar", 0.7, 3), ("other", 0, -7)),
        term_frequency=True,
        keys=("first:20", "sorted_tokens", "token_pairs"),
        keys_within=("tokens", "first:5"),
    ),
    Default(
        "telling_title",
        "the same text: a long one of rare words says more",
        "text",
        "telling_name",
        (("very", 0.85, 4), ("rather", 0.5, 2), ("little", 0, 0)),
    ),
    Default(
        "text",
        "type text, all others",
        "text",
        "tokens",
        (("same", 0.9, 8), ("most", 0.6, 4.5), ("some", 0.3, 1), ("other", 0, -1.5)),
        term_frequency=True,
    ),
    Default(
        "tax_id",
        "type tax_id: all of them together",
        "tax_id",
        "identifier",
        (("same", 1.0, 13), ("slip", 0.9, 3), ("other", 0, 0)),
        keys=("",),
        reads_country=True,
        is_merged=True,
        is_veto=True,
        is_strong=True,
    ),
    Default(
        "lei",
        "type identifier, called LEI",
        "lei",
        "identifier",
        (("same", 1.0, 13), ("other", 0, -8)),
        keys=("",),
        is_veto=True,
        is_strong=True,
    ),
    Default(
        "duns",
        "type identifier, called D-U-N-S",
        "duns",
        "identifier",
        (("same", 1.0, 12), ("other", 0, -2)),
        keys=("",),
        is_strong=True,
    ),
    Default(
        "registration_number",
        "type identifier, called registration or company number",
        "registration_number",
        "identifier",
        (("same", 1.0, 10), ("slip", 0.9, 2), ("other", 0, -3)),
        keys=("",),
        reads_country=True,
        is_strong=True,
    ),
    Default(
        "identifier",
        "type identifier, all others: systems count for themselves, so a different one says little",
        "reference",
        "identifier",
        (("same", 1.0, 10), ("slip", 0.9, 6), ("other", 0, -1)),
        term_frequency=True,
        keys=("",),
    ),
    Default(
        "phone",
        "type phone: all of them together",
        "phone",
        "phone",
        (("same", 0.95, 6.5), ("near", 0.6, 3), ("other", 0, -0.5)),
        term_frequency=True,
        keys=("",),
        reads_country=True,
        is_merged=True,
    ),
    Default(
        "email",
        "type email: all of them together",
        "email",
        "exact",
        (("same", 1.0, 9), ("other", 0, -0.5)),
        term_frequency=True,
        keys=("",),
        is_merged=True,
        is_strong=True,
    ),
    Default(
        "email_domain",
        "the domain of type email, for companies",
        "email_domain",
        "exact",
        (("same", 1.0, 2.5), ("other", 0, -0.5)),
        term_frequency=True,
        keys=("",),
        is_merged=True,
    ),
    Default(
        "url",
        "type url: the domains of all of them together",
        "domain",
        "exact",
        (("same", 1.0, 7), ("other", 0, -2)),
        term_frequency=True,
        keys=("",),
        is_merged=True,
    ),
    Default(
        "birth_date",
        "type date, called birth or born",
        "date",
        "date",
        (("same", 1.0, 8.5), ("slip", 0.9, 6.5), ("month", 0.8, 0), ("year", 0.7, -2), ("other", 0, -5)),
        term_frequency=True,
        keys_within=("",),
    ),
    Default(
        "date",
        "type date, all others",
        "date",
        "date",
        (("same", 1.0, 4), ("slip", 0.9, 3), ("month", 0.8, 1.5), ("year", 0.7, -1), ("other", 0, -3)),
        keys_within=("",),
    ),
    Default("year", "type text or number, called year", "year", "exact", (("same", 1.0, 2), ("other", 0, -6))),
    Default(
        "number",
        "type number",
        "number",
        "number",
        (("same", 0.999, 4), ("near", 0.95, 1), ("other", 0, -1)),
        term_frequency=True,
        keys_within=("",),
    ),
    Default("code", "type code", "code", "exact", (("same", 1.0, 1), ("other", 0, -1))),
    Default(
        "currency", "type code of the list currency", "currency", "exact", (("same", 1.0, 0.5), ("other", 0, -1.5))
    ),
    Default(
        "country",
        "type code of the list country, or type text called country; other forms are read in it",
        "country",
        "exact",
        (("same", 1.0, 1.5), ("other", 0, -4)),
    ),
    Default(
        "street",
        "type text, called street or address: all of them together, without house number",
        "street",
        "street",
        (("same", 0.9, 5.5), ("similar", 0.7, 2.5), ("other", 0, -1)),
        term_frequency=True,
        reads_country=True,
        is_merged=True,
    ),
    Default(
        "house_number",
        "read from the street, or type text called house or street number",
        "house_number",
        "exact",
        (("same", 1.0, 3.5), ("other", 0, -2)),
        reads_country=True,
        is_merged=True,
    ),
    Default(
        "postal_code",
        "type text, called postal code, post code or zip",
        "postal_code",
        "postal_code",
        (("same", 1.0, 7.5), ("near", 0.7, 4), ("other", 0, -0.5)),
        term_frequency=True,
        reads_country=True,
    ),
    Default(
        "city",
        "type text, called city, town, suburb or locality",
        "city",
        "string",
        (("same", 0.93, 2), ("other", 0, -1.5)),
        reads_country=True,
    ),
    Default(
        "region",
        "type text, called state, province, region or county",
        "text",
        "exact",
        (("same", 1.0, 0.5), ("other", 0, -1)),
    ),
)

DEFAULTS: Final = {default.kind: default for default in _TABLE}
"""The default of each kind, in the order of the reference page."""

PAIRED_KEYS: Final = (
    PairedKey("company_name", "first:4", "city"),
    PairedKey("company_name", "first:3", "postal_code"),
    PairedKey("company_name", "acronym", "city"),
    PairedKey("person_name", "consonants:3", "birth_date"),
    PairedKey("person_name", "rare_tokens:2", "birth_date"),
    PairedKey("person_name", "rare_tokens:2", "postal_code"),
    PairedKey("person_name", "rare_tokens:2", "city"),
    PairedKey("person_name", "rare_tokens:2", "date"),
    PairedKey("person_name", "rare_tokens:1", "year"),
    PairedKey("family_name", "consonants:4", "birth_date", "first:4"),
    PairedKey("family_name", "consonants:5", "given_name", "first:1"),
    PairedKey("family_name", "consonants:4", "city"),
    PairedKey("given_name", "", "city"),
    PairedKey("family_name", "consonants:4", "text"),
    PairedKey("family_name", "consonants:4", "postal_code"),
    PairedKey("title", "first:4", "city"),
    PairedKey("title", "first:3", "postal_code"),
    PairedKey("title", "rare_tokens:1", "year"),
    PairedKey("title", "rare_tokens:1", "date"),
    PairedKey("title", "rare_tokens:1", "person_name", "rare_tokens:1"),
    PairedKey("birth_date", "", "postal_code"),
    PairedKey("birth_date", "", "city"),
    PairedKey("birth_date", "", "text"),
    PairedKey("street", "rare_tokens", "house_number"),
    PairedKey("postal_code", "", "house_number"),
)
BLOCKING_MAX: Final = 40
"""Blocking rules derived at most: each costs a key a record (chosen)."""

PRIOR_BITS: Final = -10.0
PRIOR_BITS_COMPANY: Final = -11.5
PRIOR_BITS_WITHIN: Final = -4.5
MATCH_BITS: Final = 4.0
REVIEW_BITS: Final = -2.0
"""As the built-in types have them: customer, resource and publication; project and contract inside their customer."""
