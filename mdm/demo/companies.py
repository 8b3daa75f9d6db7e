"""The true customers: legal entities with names, numbers, places and kin, before any system has written them down."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from random import Random

from anyascii import anyascii

from mdm.demo.model import TrueRelation
from mdm.demo.tax_numbers import duns_number, lei_number, registration_number, tax_number
from mdm.demo.traps import quota
from mdm.demo.words import COUNTRIES, ENDINGS, INDUSTRIES, SCRIPTS, STEMS, SURNAMES, TRADES

# Chosen: half the clients in the Americas, the rest spread over Europe.
_HOME_WEIGHTS = {"US": 12, "DE": 3, "GB": 3, "FR": 2, "NL": 2} | dict.fromkeys(
    ("CH", "AT", "IE", "BE", "ES", "IT", "SE", "NO", "PL"), 1
)
HOME_COUNTRIES = tuple(country for country, weight in _HOME_WEIGHTS.items() for _ in range(weight))
# Chosen: true companies at scale 1, by the story that they are made for. The rest are plain.
COMPANIES_COUNT = 640
FAMILIES_COUNT = 56
SCRIPTS_COUNT = 40
RENAMED_COUNT = 28
ACQUIRED_COUNT = 16
SUCCESSORS_COUNT = 8
NAMESAKES_COUNT = 14
BRANCHED_COUNT = 48
SERVICED_OFFICES_COUNT = 3
BOOKKEEPERS_COUNT = 2


@dataclass(frozen=True, slots=True)
class Place:
    """One postal address and the phone that rings there."""

    street: str
    house_number: str
    postal_code: str
    city: str
    country: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One legal entity.

    name         brand and trade, without the legal form
    forms        spellings of its legal form, the registered one first
    native_name  the registered name in its own script, "" where that is Latin
    """

    id: str
    name: str
    forms: tuple[str, ...]
    native_name: str = ""
    former_name: str = ""
    tax_id: str
    registration_number: str
    duns: str
    lei: str
    domain: str
    email: str
    industry: str
    currency: str
    payment_days: int
    place: Place
    branches: tuple[Place, ...] = ()
    parent_id: str = ""
    is_active: bool = True
    traps: frozenset[str] = field(default_factory=frozenset)

    @property
    def legal_name(self) -> str:
        """Join name and registered legal form."""
        return f"{self.name} {self.forms[0]}"

    @property
    def country(self) -> str:
        """Name the country of registration."""
        return self.place.country


def true_companies(random: Random, scale: float) -> tuple[list[Company], list[TrueRelation]]:
    """Invent every customer and the relations between customers."""
    inventor = _Inventor(random)
    companies, relations = inventor.families(quota(FAMILIES_COUNT, scale))
    companies += inventor.script_companies(quota(SCRIPTS_COUNT, scale))
    companies += inventor.namesakes(quota(NAMESAKES_COUNT, scale))
    for successors, relation in (inventor.succession() for _ in range(quota(SUCCESSORS_COUNT, scale))):
        companies += successors
        relations.append(relation)
    plain = [inventor.company() for _ in range(max(60, round(COMPANIES_COUNT * scale)) - len(companies))]
    share = _shares(plain, scale)
    renamed = [_renamed(company, inventor) for company in next(share)]
    acquired = [_acquired(company, random.choice(companies)) for company in next(share)]
    relations += [TrueRelation("acquired_by", company.id, company.parent_id) for company in acquired]
    offices = _with_shared_phone(next(share), quota(SERVICED_OFFICES_COUNT, scale))
    mailboxes = _with_shared_mailbox(next(share), quota(BOOKKEEPERS_COUNT, scale))
    companies += renamed + acquired + offices + mailboxes + next(share)
    branched = set(random.sample(range(len(companies)), quota(BRANCHED_COUNT, scale)))
    return [_branched(c, random) if i in branched else c for i, c in enumerate(companies)], relations


def place_in(country: str, random: Random) -> Place:
    """Draw an address of a country."""
    words = COUNTRIES[country]
    city, postal, area = random.choice(words.cities)
    return Place(
        street=random.choice(words.streets),
        house_number=str(random.randint(1, 240)),
        postal_code=digits_filled(postal, random),
        city=city,
        country=country,
        phone=digits_filled(words.phone.format(area=area), random),
    )


def digits_filled(pattern: str, random: Random) -> str:
    """Replace each "#" by a digit."""
    return "".join(str(random.randint(0, 9)) if mark == "#" else mark for mark in pattern)


def _shares(plain: list[Company], scale: float) -> Iterator[list[Company]]:
    """Deal plain companies out to the stories: renamed, acquired, serviced offices, bookkeepers, and none."""
    start = 0
    for count in (RENAMED_COUNT, ACQUIRED_COUNT, SERVICED_OFFICES_COUNT * 4, BOOKKEEPERS_COUNT * 6):
        end = start + max(2, quota(count, scale))
        yield plain[start:end]
        start = end
    yield plain[start:]


def _brands(random: Random) -> Iterator[str]:
    """Give made-up brands, no two alike: short ones first, longer ones for a firm of more than twice the size."""
    for parts in (product(STEMS, ENDINGS), product(STEMS, STEMS, ENDINGS)):
        brands = ["".join(brand).capitalize() for brand in parts]
        random.shuffle(brands)
        yield from brands


class _Inventor:
    """Draws companies, no two of one name."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.brands = _brands(random)
        self.names: set[str] = set()
        self.count = 0

    def company(self, *, name: str = "", country: str = "", trade: int = -1, traps: tuple[str, ...] = ()) -> Company:
        """Draw one company; whatever is not given is drawn as well."""
        random = self.random
        country = country or random.choice(HOME_COUNTRIES)
        trade = random.randrange(len(INDUSTRIES)) if trade < 0 else trade
        name = name or self.free_name(country, trade)
        tax_id, place = tax_number(country, random), place_in(country, random)
        domain = f"{domain_label(name)}.example"
        self.count += 1
        return Company(
            id=f"company-{self.count:04d}",
            name=name,
            forms=tuple(random.choice(COUNTRIES[country].forms)),
            tax_id=tax_id,
            registration_number=registration_number(country, tax_id, random),
            duns=duns_number(random),
            lei=lei_number(random) if random.random() < 0.15 else "",
            domain=domain,
            email=f"{random.choice(('info', 'office', 'accounts', 'contact'))}@{domain}",
            industry=INDUSTRIES[trade],
            currency=COUNTRIES[country].currency,
            payment_days=random.choice((14, 30, 30, 30, 45, 60)),
            place=place,
            traps=frozenset(traps) | ({"umlaut"} if not name.isascii() else set()),
        )

    def free_name(self, country: str, trade: int) -> str:
        """Draw a name that no company has yet: a brand or partners, mostly with the trade."""
        random = self.random
        trade_word = TRADES[COUNTRIES[country].language][trade]
        while True:
            shape = random.random()
            if shape < 0.45:
                name = f"{next(self.brands)} {trade_word}"
            elif shape < 0.75:
                name = f"{random.choice(SURNAMES)} {trade_word}"
            else:
                name = " & ".join(random.sample(SURNAMES, k=2))
            if name not in self.names:
                self.names.add(name)
                return name

    def families(self, families_count: int) -> tuple[list[Company], list[TrueRelation]]:
        """Draw groups of one brand: a holding and its sisters, in several countries or as several entities of one."""
        companies, relations = [], []
        for number in range(families_count):
            family = self.family(number)
            companies += family
            relations += [TrueRelation("parent_of", family[0].id, sister.id) for sister in family[1:]]
            relations += [TrueRelation("sister_of", left.id, right.id) for left, right in pairwise(family[1:])]
        return companies, relations

    def family(self, number: int) -> list[Company]:
        """Draw one group; it shares its domain two times in three, and its switchboard two times in four."""
        random, brand = self.random, next(self.brands)
        home, trade = random.choice(HOME_COUNTRIES), random.randrange(len(INDUSTRIES))
        domain = f"{domain_label(brand)}.example"
        head = self.company(name=f"{brand} Holding", country=home, trade=trade, traps=("same_brand_other_entity",))
        head = replace(head, domain=domain, email=f"info@{domain}")
        members = [head]
        for position in range(random.choice((1, 2, 2, 3, 4))):
            country = home if position % 3 == 0 else random.choice(HOME_COUNTRIES)
            words = TRADES[COUNTRIES[country].language]
            names = (f"{brand} {words[(trade + shift) % len(words)]}" for shift in range(len(words)))
            # Sisters of one country differ by their trade; abroad the same name is all the better a trap.
            name = next(name for name in names if all((name, country) != (m.name, m.country) for m in members))
            member = self.company(name=name, country=country, trade=trade)
            traps = {"same_brand_other_entity"}
            if number % 3 != 2:
                member = replace(member, domain=domain, email=f"info@{domain}")
                traps.add("shared_domain")
            if number % 4 < 2:
                member = replace(member, place=replace(member.place, phone=head.place.phone))
                traps.add("shared_switchboard")
            members.append(replace(member, parent_id=head.id, traps=member.traps | traps))
        gained = frozenset(trap for member in members for trap in member.traps if trap.startswith("shared_"))
        return [replace(head, traps=head.traps | gained), *members[1:]]

    def script_companies(self, companies_count: int) -> list[Company]:
        """Draw companies registered in a script beyond Latin, each with its Latin twin."""
        companies = []
        pools = {
            country: self.random.sample(list(product(script.brands, script.trades)), k=18)
            for country, script in SCRIPTS.items()
        }
        for number in range(min(companies_count, sum(map(len, pools.values())))):
            country = list(SCRIPTS)[number % len(SCRIPTS)]
            (brand, latin_brand), (trade, word, latin_word) = pools[country].pop()
            company = self.company(name=f"{latin_brand} {latin_word}", country=country, trade=trade, traps=("script",))
            native = SCRIPTS[country].pattern.format(brand=brand, trade=word, form=company.forms[1])
            companies.append(replace(company, native_name=native, forms=company.forms[:1]))
        return companies

    def namesakes(self, pairs_count: int) -> list[Company]:
        """Draw pairs of strangers that chose the same name in two countries."""
        companies = []
        for _ in range(pairs_count):
            first = self.company(country="GB", traps=("namesake",))
            second = self.company(name=first.name, country="US", traps=("namesake",))
            domain = f"{domain_label(first.name)}-us.example"
            companies += [first, replace(second, domain=domain, email=f"info@{domain}")]
        return companies

    def succession(self) -> tuple[list[Company], TrueRelation]:
        """Draw a company that was wound up and the new one that took over its name, place and domain."""
        old = self.company(traps=("successor",))
        new = self.company(name=f"{old.name} {self.random.randint(2021, 2025)}", country=old.country)
        new = replace(new, place=old.place, domain=old.domain, email=old.email, industry=old.industry)
        new = replace(new, forms=old.forms, traps=new.traps | {"successor"})
        return [replace(old, is_active=False), new], TrueRelation("succeeded_by", old.id, new.id)


def domain_label(name: str) -> str:
    """Write a name as the label of a domain."""
    return "-".join("".join(c for c in word if c.isalnum()) for word in anyascii(name).lower().split() if word != "&")


def _renamed(company: Company, inventor: _Inventor) -> Company:
    former = inventor.free_name(company.country, INDUSTRIES.index(company.industry))
    return replace(company, former_name=f"{former} {company.forms[0]}", traps=company.traps | {"renamed"})


def _acquired(company: Company, buyer: Company) -> Company:
    return replace(company, parent_id=buyer.id, traps=company.traps | {"acquired"})


def _with_shared_phone(companies: list[Company], offices_count: int) -> list[Company]:
    """Seat strangers in serviced offices: they share the switchboard and nothing else."""
    places = [companies[position % len(companies)].place for position in range(offices_count)]
    return [
        replace(
            c, place=replace(c.place, phone=places[i % offices_count].phone), traps=c.traps | {"shared_switchboard"}
        )
        for i, c in enumerate(companies)
    ]


def _with_shared_mailbox(companies: list[Company], bookkeepers_count: int) -> list[Company]:
    """Give strangers the invoice mailbox of the bookkeeper they share."""
    return [
        replace(
            c, email=f"invoices@ledger-office-{i % bookkeepers_count + 1}.example", traps=c.traps | {"shared_mailbox"}
        )
        for i, c in enumerate(companies)
    ]


def _branched(company: Company, random: Random) -> Company:
    branches = tuple(place_in(company.country, random) for _ in range(random.choice((1, 1, 2, 3))))
    return replace(company, branches=branches)
