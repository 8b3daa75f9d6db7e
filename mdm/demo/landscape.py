"""Which system knows which client, under which name and key: the true firm as its systems have written it down."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from anyascii import anyascii

from mdm.demo.companies import Company, Place
from mdm.demo.model import DemoInstance
from mdm.demo.traps import Sighting, mistyped, quota
from mdm.demo.words import COUNTRIES

INSTANCES = (
    DemoInstance("d365-emea", "d365", "Dynamics 365 Finance, legal entities usmf and demf", 1, duplicate_free=False),
    DemoInstance("netsuite-us", "netsuite", "NetSuite, United States", 2, duplicate_free=False),
    DemoInstance("certinia", "certinia", "Certinia PSA, Europe", 3, duplicate_free=False),
    DemoInstance("kantata", "kantata", "Kantata OX, Americas", 4, duplicate_free=False),
    DemoInstance("salesforce-emea", "salesforce", "Salesforce, Europe", 5, duplicate_free=False),
    DemoInstance("salesforce-us", "salesforce", "Salesforce, Americas", 6, duplicate_free=False),
    DemoInstance("acquired-crm", "crm", "CRM of the company acquired last year", 7, duplicate_free=False),
)
CUSTOMER_OBJECTS = {
    "d365-emea": "customer",
    "netsuite-us": "customer",
    "certinia": "Account",
    "kantata": "workspace_groups",
    "salesforce-emea": "Account",
    "salesforce-us": "Account",
    "acquired-crm": "companies",
}
# Chosen: the share of the clients of a region that a system knows.
_KNOWN_SHARE = {
    "europe": {
        "salesforce-emea": 0.85,
        "certinia": 0.6,
        "d365-emea": 0.65,
        "kantata": 0.08,
        "netsuite-us": 0.05,
        "acquired-crm": 0.15,
    },
    "america": {
        "salesforce-us": 0.85,
        "kantata": 0.6,
        "netsuite-us": 0.7,
        "certinia": 0.08,
        "d365-emea": 0.06,
        "acquired-crm": 0.08,
    },
}
# Chosen: how often a system that has the field has it filled. The finance systems hold tax ids, the CRMs rarely.
_FILLED_SHARE = {
    "tax_id": {"d365-emea": 0.95, "netsuite-us": 0.85, "certinia": 0.6, "salesforce-emea": 0.3, "acquired-crm": 0.35},
    "registration_number": {"d365-emea": 0.6},
    "duns": {"salesforce-emea": 0.4, "salesforce-us": 0.45},
    "lei": {"salesforce-emea": 0.6, "d365-emea": 0.5},
    "website": dict.fromkeys(CUSTOMER_OBJECTS, 0.8) | {"d365-emea": 0.4, "netsuite-us": 0.5},
    "phone": dict.fromkeys(CUSTOMER_OBJECTS, 0.75),
    "email": dict.fromkeys(CUSTOMER_OBJECTS, 0.6),
    "street": dict.fromkeys(CUSTOMER_OBJECTS, 0.9) | {"d365-emea": 1.0, "netsuite-us": 1.0},
    "industry": dict.fromkeys(CUSTOMER_OBJECTS, 0.8),
}
_EURO_LEGAL_ENTITY, _OTHER_LEGAL_ENTITY = "demf", "usmf"
_FINANCE = frozenset({"d365-emea", "netsuite-us"})
_DUPLICATES_COUNT = 70
_CLOCK_START = datetime(2024, 1, 8, 6, 0, tzinfo=UTC)
_CLOCK_SECONDS = 77_000_000
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


class Landscape:
    """Collects the records of all systems, gives them native keys, and knows who is known where."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.sightings: list[Sighting] = []
        self.keys: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def add(self, sighting: Sighting) -> Sighting:
        """Keep a record, under a new native key where it brings none."""
        where = (sighting.instance, sighting.object, sighting.scope)
        sighting.native_id = sighting.native_id or self.free_key(*where)
        self.sightings.append(sighting)
        self.keys[sighting.instance, sighting.scope, sighting.truth].append(sighting.native_id)
        return sighting

    def free_key(self, instance: str, object_name: str, scope: str) -> str:
        """Make the next native key as the system would.

        NetSuite counts each record type alone and D365 each legal entity, so that equal keys name different records.
        """
        self._counts[instance, object_name, scope] += 1
        count = self._counts[instance, object_name, scope]
        match instance, object_name:
            case ("d365-emea", name):
                return f"{_D365_PREFIXES[name]}{count:05d}"
            case ("netsuite-us", _):
                return str(1_000 + count)
            case ("kantata", name):
                return str(_KANTATA_STARTS[name] + count * 7)
            case ("acquired-crm", name):
                return f"{name[0]}{900_000_000 + count * 31}"
            case (_, name):
                return salesforce_id(_SALESFORCE_PREFIXES[name], instance, count)

    def scopes_of(self, instance: str, truth: str) -> list[str]:
        """List the scopes of an instance in which an entity is known."""
        scopes = (_EURO_LEGAL_ENTITY, _OTHER_LEGAL_ENTITY) if instance == "d365-emea" else ("",)
        return [scope for scope in scopes if (instance, scope, truth) in self.keys]

    def moment(self) -> datetime:
        """Draw the time of a record's last change."""
        return _CLOCK_START + timedelta(seconds=self.random.randrange(_CLOCK_SECONDS))


_D365_PREFIXES = {"customer": "C", "project": "PRJ-", "projectcontract": "PC-", "worker": "W"}
_KANTATA_STARTS = {"workspace_groups": 1_200_000, "workspaces": 40_000_000, "users": 9_000_000}
_SALESFORCE_PREFIXES = {"Account": "001", "Contact": "003", "Contract": "800", "pse__Proj__c": "a1P"}
_SALESFORCE_ORGS = {"salesforce-emea": "20", "salesforce-us": "5f", "certinia": "8d"}
_SUFFIX_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def salesforce_id(prefix: str, instance: str, count: int) -> str:
    """Make an 18-character id: object prefix, org, number, and the suffix that tells its capitals apart."""
    short = f"{prefix}{_SALESFORCE_ORGS[instance]}0000{count:06d}"
    suffix = ""
    for start in (0, 5, 10):
        capitals = sum(1 << at for at, character in enumerate(short[start : start + 5]) if character.isupper())
        suffix += _SUFFIX_ALPHABET[capitals]
    return short + suffix


def sight_customers(landscape: Landscape, companies: Sequence[Company], scale: float) -> None:
    """Write every company down in the systems of its region, its branches beside it, and some of them twice."""
    domains = {company.id: company.domain for company in companies}
    for company in companies:
        seen = [
            landscape.add(_customer(landscape, company, instance, scope))
            for instance, scope in _systems_of(company, landscape.random)
        ]
        if company.former_name:
            _leave_former_name(company, seen)
        if "acquired" in company.traps:
            buyer = domains[company.parent_id]
            seen[0].values |= {"website": f"www.{buyer}", "email": f"info@{buyer}"}
        for number, branch in enumerate(company.branches):
            landscape.add(_branch(landscape, company, branch, seen[number % len(seen)]))
    duplicate_some(landscape, "customer", quota(_DUPLICATES_COUNT, scale))


def duplicate_some(landscape: Landscape, entity_type: str, count: int) -> None:
    """Enter some records a second time in the same system, hastily."""
    kind = [
        sighting
        for sighting in landscape.sightings
        if sighting.entity_type == entity_type and "branch" not in sighting.traps
    ]
    for original in landscape.random.sample(kind, k=min(count, len(kind))):
        values = {
            name: value
            for name, value in original.values.items()
            if name in _KEPT_IN_DUPLICATE or landscape.random.random() < 0.6
        }
        name = "legal_name" if entity_type == "customer" else "name"
        if values[name].isascii() and landscape.random.random() < 0.3:
            values[name] = mistyped(values[name], landscape.random)
        original.traps.add("duplicate_in_source")
        where = (original.instance, original.object, original.scope, "", entity_type, original.truth)
        references, traps = dict(original.references), set(original.traps)
        twin = landscape.add(Sighting(*where, values, landscape.moment(), references, traps))
        for number in ("code", "number"):
            if values.get(number) == original.native_id:
                values[number] = twin.native_id


_KEPT_IN_DUPLICATE = frozenset(
    {
        "legal_name",
        "name",
        "country",
        "currency",
        "street",
        "house_number",
        "postal_code",
        "city",
        "po_number",
        "code",
        "number",
    }
    | {"start", "end", "own_legal_entity"}
)


def _systems_of(company: Company, random: Random) -> list[tuple[str, str]]:
    """Draw the systems, with their scopes, that know a company; at least one."""
    shares = _KNOWN_SHARE["america" if company.country == "US" else "europe"]
    known = [instance for instance, share in shares.items() if random.random() < share] or [next(iter(shares))]
    if (company.former_name or company.native_name) and len(known) == 1:
        known = sorted({*known, "d365-emea", "salesforce-emea"})
    systems = []
    for instance in known:
        if instance != "d365-emea":
            systems.append((instance, ""))
            continue
        home, other = _EURO_LEGAL_ENTITY, _OTHER_LEGAL_ENTITY
        if company.currency != "EUR":
            home, other = other, home
        systems.append((instance, home))
        if random.random() < 0.15:
            systems.append((instance, other))
    return systems


def _customer(landscape: Landscape, company: Company, instance: str, scope: str) -> Sighting:
    random, place = landscape.random, company.place
    traps = set(company.traps)
    values = {
        "legal_name": _name_in(company, instance, random, traps),
        "tax_id": company.tax_id,
        "registration_number": company.registration_number,
        "duns": company.duns,
        "lei": company.lei,
        "website": f"{random.choice(('www.', 'https://', 'https://www.', ''))}{company.domain}",
        "phone": place.phone,
        "email": company.email,
        "country": place.country,
        "industry": company.industry,
        "currency": company.currency,
        "payment_terms": company.payment_days,
        "status": "active" if company.is_active else "inactive",
    }
    if random.random() < _FILLED_SHARE["street"][instance]:
        values |= _address(place, random)
    for name, shares in _FILLED_SHARE.items():
        if name != "street" and random.random() >= shares.get(instance, 0):
            del values[name]
    filled = {name: value for name, value in values.items() if value != ""}
    references = {"parent": company.parent_id} if company.parent_id else {}
    place_of_entry = (instance, CUSTOMER_OBJECTS[instance], scope, "", "customer", company.id)
    return Sighting(*place_of_entry, filled, landscape.moment(), references, traps)


def _name_in(company: Company, instance: str, random: Random, traps: set[str]) -> str:
    """Spell the name as a system has it: registered in finance, freely in sales, without umlauts overseas."""
    if company.native_name and instance in {"d365-emea", "certinia"}:
        return company.native_name
    if instance in _FINANCE:
        name = company.legal_name
    elif random.random() < 0.2:
        traps.add("no_legal_form")
        name = company.name
    else:
        name = f"{company.name} {random.choice(company.forms)}"
    if instance == "netsuite-us" or (instance != "d365-emea" and random.random() < 0.25):
        name = anyascii(name.translate(_UMLAUTS) if random.random() < 0.5 else name)
    return name


def _address(place: Place, random: Random) -> dict[str, str]:
    street = place.street
    if random.random() < 0.3:
        for long, short in (
            ("straße", "str."),
            ("strasse", "str."),
            ("Street", "St"),
            ("Avenue", "Ave"),
            ("Road", "Rd"),
        ):
            street = street.replace(long, short)
    return {
        "street": street,
        "house_number": place.house_number,
        "postal_code": place.postal_code,
        "city": place.city,
    }


def _leave_former_name(company: Company, seen: list[Sighting]) -> None:
    """Leave the old name in the first system and give it to the last one as a former name."""
    seen[-1].values["former_names"] = company.former_name
    if len(seen) > 1:
        seen[0].values["legal_name"] = company.former_name


_BRANCH_WORDS = {"de": "Niederlassung {}", "fr": "agence de {}", "es": "sucursal {}", "it": "filiale di {}"}


def _branch(landscape: Landscape, company: Company, place: Place, parent: Sighting) -> Sighting:
    """Enter a site beside its company: the same legal entity with another address, mostly another name."""
    sighting = _customer(landscape, company, parent.instance, parent.scope)
    suffix = _BRANCH_WORDS.get(_language(company), "{} Branch").format(place.city)
    if landscape.random.random() < 0.7:
        sighting.values["legal_name"] = f"{parent.values['legal_name']}, {suffix}"
    sighting.values |= _address(place, landscape.random)
    if "phone" in sighting.values and "shared_switchboard" not in company.traps:
        sighting.values["phone"] = place.phone
    sighting.traps.add("branch")
    return sighting


def _language(company: Company) -> str:
    return COUNTRIES[company.country].language
