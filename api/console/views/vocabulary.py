"""The plain words of the console for the names that the hub uses inside: one table a subject.

Every word is a message of the catalogue (`N_` marks it for extraction); `Words` translates it. A name that no table
knows is shown as it is, with blanks for underscores: a rule or system of one's own needs no entry here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


def N_(message: str) -> str:  # noqa: N802 -- the name by which Babel knows a message that is translated later
    """Mark a message for the catalogue."""
    return message


# How two values of a row compare: the sign before the name of the row, and the word for who does not see it.
SIGNS: Final[Mapping[str, str]] = MappingProxyType({"same": "=", "near": "≈", "different": "≠", "missing": "·"})

_TABLES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "agreement": {
            "same": N_("same"),
            "near": N_("nearly the same"),
            "different": N_("different"),
            "missing": N_("missing on one side"),
        },
        "verdict": {
            "match": N_("likely the same"),
            "possible_match": N_("perhaps the same"),
            "non_match": N_("likely different"),
        },
        "judgement": {
            "same": N_("Merge"),
            "different": N_("Keep apart"),
            "related": N_("Related, not the same"),
            "unsure": N_("Not sure yet"),
        },
        "relation": {
            "parent_of": N_("parent of"),
            "child_of": N_("belongs to"),
            "sister_of": N_("sister of"),
            "acquired_by": N_("acquired by"),
            "acquirer_of": N_("has acquired"),
            "succeeded_by": N_("renamed to, or succeeded by"),
            "successor_of": N_("follows"),
            "phase_of": N_("phase of"),
            "has_phase": N_("has the phase"),
            "amendment_of": N_("amendment of"),
            "amended_by": N_("amended by"),
            "renewal_of": N_("renewal of"),
            "renewed_by": N_("renewed by"),
        },
        "rule": {
            "source_priority": N_("Most trusted source"),
            "most_recent": N_("Most recent"),
            "most_complete": N_("Most complete"),
            "most_frequent": N_("Most often given"),
            "longest": N_("Longest"),
            "min": N_("Smallest"),
            "max": N_("Largest"),
            "union": N_("All values together"),
            "verified_first": N_("Verified first"),
            "trust": N_("Trust that fades with age"),
            "same_winner_as": N_("From the same record"),
            "override": N_("Chosen by a person"),
            "only": N_("Only value"),
        },
        "review": {
            "possible_match": N_("One, or two?"),
            "join": N_("Should these be one?"),
            "split": N_("Should this be two?"),
            "unsure": N_("Left open"),
            "weak_bridge": N_("Held together by one weak link"),
            "several_hits": N_("Matches more than one"),
            "contradiction": N_("A source disagrees with a decision"),
            "decay": N_("No longer holds together"),
            "large_cluster": N_("Unusually large"),
            "duplicates_in_source": N_("Twice in one system"),
            "flip_flop": N_("Value changed back and forth"),
        },
        "cause": {
            "ingest": N_("New values from a system"),
            "deferred": N_("Looked at again"),
            "decay": N_("Links that no longer hold"),
            "decision": N_("Decided by a person"),
            "revocation": N_("Decision taken back"),
            "merge": N_("Merged"),
            "unmerge": N_("Merge undone"),
            "split": N_("Divided"),
            "move": N_("Moved"),
            "dissolve": N_("Taken apart"),
            "confirm": N_("Confirmed"),
            "retire": N_("Retired"),
            "restore": N_("Brought back"),
            "undo": N_("Undone"),
            "override": N_("Value chosen"),
            "source_event": N_("Changed in its system"),
            "rules": N_("Other rules hold"),
        },
        "entity": {
            "customer": N_("client"),
            "project": N_("project"),
            "contract": N_("contract"),
            "resource": N_("consultant"),
            "deal": N_("deal"),
        },
        "entities": {
            "customer": N_("clients"),
            "project": N_("projects"),
            "contract": N_("contracts"),
            "resource": N_("consultants"),
            "deal": N_("deals"),
        },
        "state": {
            "active": N_("in use"),
            "forwarded": N_("merged into another"),
            "retired": N_("no longer in use"),
            "deleted": N_("deleted in its system"),
            "withdrawn": N_("set aside"),
        },
        # What a matching rule compares, and how far it found the two alike.
        "comparison": {
            "name": N_("name"),
            "telling_name": N_("telling name"),
            "legal_form": N_("legal form"),
            "tax_id": N_("tax id"),
            "registration": N_("registration number"),
            "duns": N_("D-U-N-S number"),
            "lei": N_("LEI"),
            "domain": N_("website"),
            "email_domain": N_("domain of the e-mail"),
            "any_domain": N_("domain of site or e-mail"),
            "email": N_("e-mail"),
            "phone": N_("telephone"),
            "street": N_("street"),
            "city": N_("city"),
            "postal_code": N_("postal code"),
            "country": N_("country"),
            "code": N_("code"),
            "codes": N_("codes"),
            "number": N_("number"),
            "po_number": N_("purchase order"),
            "kind": N_("kind"),
            "part": N_("part"),
            "value": N_("amount"),
            "currency": N_("currency"),
            "start": N_("start"),
            "end": N_("end"),
            "year": N_("year"),
            "personnel_number": N_("personnel number"),
            "own_legal_entity": N_("own company"),
        },
        "match_rule": {
            "names_alone": N_("only the names speak"),
            "names_of_their_own": N_("each has a word of its own in its name"),
            "one_more_word": N_("one name has a word more"),
            "phone_alone": N_("only the telephone speaks"),
            "same_code_and_name": N_("the same code and name"),
            "same_email": N_("the same e-mail"),
            "same_email_and_name": N_("the same e-mail and name"),
            "same_lei_and_name": N_("the same LEI and name"),
            "same_number_and_year": N_("the same number and year"),
            "same_personnel_number_and_name": N_("the same personnel number and name"),
            "same_tax_id": N_("the same tax id"),
        },
        "level": {
            "same": N_("same"),
            "near": N_("nearly the same"),
            "similar": N_("similar"),
            "other": N_("different"),
            "slip": N_("a slip of the pen apart"),
            "word_more": N_("one word more"),
            "generic_word_more": N_("one everyday word more"),
            "most_words": N_("most words the same"),
            "brand": N_("only the brand"),
            "initials": N_("its initials"),
            "part": N_("in part"),
            "very": N_("very"),
            "rather": N_("rather"),
            "little": N_("little"),
            "year": N_("in the same year"),
            "month": N_("in the same month"),
            "missing": N_("missing on one side"),
        },
        "reason": {
            "unknown_code": N_("a code that no list knows"),
            "template_refused": N_("a template, not a real project"),
            "number_or_name_missing": N_("neither a number nor a name"),
        },
        "field": {
            "entity_type": N_("Entity type"),
            "source": N_("System"),
            "source_key": N_("Key"),
            "other_key": N_("Other key"),
        },
        "role": {
            "viewer": N_("Viewer"),
            "steward": N_("Steward"),
            "lead": N_("Lead"),
            "integrator": N_("Integrator"),
            "admin": N_("Administrator"),
        },
        "sign_in": {
            "signed_in": N_("signed in"),
            "refused": N_("refused"),
            "throttled": N_("too many attempts"),
            "signed_out": N_("signed out"),
            "link_redeemed": N_("signed in with a link"),
        },
        # Names of products; they are not translated.
        "system": {
            "salesforce": "Salesforce",
            "netsuite": "NetSuite",
            "d365": "Dynamics 365",
            "certinia": "Certinia PSA",
            "kantata": "Kantata",
            "crm": "CRM",
            "hub": "Hub",
        },
    }
)
# Two letters for a system, on a node of the graph and before a value.
_MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {"salesforce": "SF", "netsuite": "NS", "d365": "DX", "certinia": "CE", "kantata": "KA", "crm": "CR", "hub": "HB"}
)


def message(subject: str, name: str) -> str:
    """Give the message for a name of a subject; for a name of one's own, the name with blanks."""
    return _TABLES[subject].get(name) or name.replace("_", " ").replace("-", " ").strip()


def is_known(subject: str, name: str) -> bool:
    """Tell whether a subject has a word for a name."""
    return name in _TABLES[subject]


def names(subject: str) -> tuple[str, ...]:
    """List the names that a subject has words for."""
    return tuple(_TABLES[subject])


def mark(system: str) -> str:
    """Give two letters for a source system: those it is known by, or its first two."""
    letters = "".join(character for character in system if character.isalnum())
    return _MARKS.get(system) or letters[:2].upper() or "?"
