"""The true projects, contracts and resources: what the firm does for its clients, and who does it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from anyascii import anyascii

from mdm.demo.companies import Company
from mdm.demo.model import TrueRelation
from mdm.demo.traps import quota
from mdm.demo.words import (
    CONTRACT_SUBJECTS,
    FAMILY_NAMES,
    GENERIC_TITLES,
    GIVEN_NAMES,
    JOB_TITLES,
    PRACTICES,
    PROJECT_ACTIVITIES,
    PROJECT_SUBJECTS,
)

# Chosen: true entities at scale 1.
PROJECTS_COUNT = 400
PHASED_COUNT = 45
SAME_TITLE_COUNT = 70
TEMPLATES_COUNT = 5
CONTRACTS_COUNT = 400
RENEWED_COUNT = 50
AMENDED_COUNT = 30
RESOURCES_COUNT = 190
NAMESAKES_COUNT = 8
MARRIED_COUNT = 8
FREELANCERS_COUNT = 6

BILLING_METHODS = ("time_and_materials", "fixed_price", "milestone", "retainer", "non_billable")
STATUSES = ("planned", "active", "active", "active", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One engagement, or one phase of it, for one client."""

    id: str
    client_id: str
    name: str
    code: str
    start: date
    end: date
    status: str
    billing_method: str
    value: int
    currency: str
    lead_id: str
    parent_id: str = ""
    is_template: bool = False
    traps: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One agreement with one client, or the amendment or next term of one."""

    id: str
    client_id: str
    name: str
    number: str
    start: date
    end: date
    status: str
    value: int
    currency: str
    po_number: str
    project_id: str = ""
    traps: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One consultant; the married name is what one of the systems has."""

    id: str
    first_name: str
    last_name: str
    married_name: str = ""
    email: str
    personnel_number: str
    title: str
    practice: str
    traps: frozenset[str] = field(default_factory=frozenset)


def true_resources(random: Random, scale: float) -> list[Resource]:
    """Invent the consultants, some of one name, some who married, some who share a mailbox."""
    resources: list[Resource] = []
    for number in range(quota(RESOURCES_COUNT, scale)):
        first, last = random.choice(GIVEN_NAMES), random.choice(FAMILY_NAMES)
        resources.append(_resource(number, first, last, random))
    married, namesakes, freelancers = (quota(c, scale) for c in (MARRIED_COUNT, NAMESAKES_COUNT, FREELANCERS_COUNT))
    for at in range(married):
        taken = random.choice([name for name in FAMILY_NAMES if name != resources[at].last_name])
        resources[at] = replace(resources[at], married_name=taken, traps=frozenset({"person_renamed"}))
    for at in range(married, married + namesakes):
        twin = _resource(len(resources), resources[at].first_name, resources[at].last_name, random)
        resources[at] = replace(resources[at], traps=frozenset({"person_namesake"}))
        resources.append(replace(twin, traps=frozenset({"person_namesake"})))
    for at in range(married + namesakes, married + namesakes + max(2, freelancers)):
        shared = frozenset({"shared_mailbox"})
        resources[at] = replace(resources[at], email="freelancers@demo-firm.example", traps=shared)
    return resources


def true_projects(
    clients: Sequence[Company], leads: Sequence[Resource], random: Random, scale: float
) -> tuple[list[Project], list[TrueRelation]]:
    """Invent the projects: plain ones, engagements in phases, nameless second phases, and templates."""
    projects: list[Project] = []
    relations: list[TrueRelation] = []

    def add(client: Company, name: str, **given: object) -> Project:
        projects.append(_project(len(projects) + 1, client, name, random.choice(leads).id, random, given))
        return projects[-1]

    for _ in range(quota(PROJECTS_COUNT, scale)):
        add(random.choice(clients), project_title(random))
    for client in random.sample(clients, k=quota(PHASED_COUNT, scale)):
        title = project_title(random)
        whole = add(client, title, traps=frozenset({"project_phase"}))
        for phase in (1, 2):
            part = add(client, f"{title} - Phase {phase}", parent_id=whole.id, traps=frozenset({"project_phase"}))
            relations.append(TrueRelation("phase_of", part.id, whole.id))
    same_titles = max(2, quota(SAME_TITLE_COUNT, scale))
    for position, client in enumerate(random.sample(clients, k=same_titles)):
        add(client, GENERIC_TITLES[position % min(5, same_titles // 2)], traps=frozenset({"same_title"}))
    for _ in range(quota(TEMPLATES_COUNT, scale)):
        add(
            random.choice(clients),
            f"TEMPLATE {project_title(random)}",
            is_template=True,
            traps=frozenset({"project_template"}),
        )
    return projects, relations + [TrueRelation("client_of", project.client_id, project.id) for project in projects]


def true_contracts(
    projects: Sequence[Project], random: Random, scale: float
) -> tuple[list[Contract], list[TrueRelation]]:
    """Invent the contracts behind some projects, their next terms and their amendments."""
    contracts: list[Contract] = []
    relations: list[TrueRelation] = []
    real = [project for project in projects if not project.is_template]
    firsts = [
        _contract(n, project, random) for n, project in enumerate(_drawn(real, quota(CONTRACTS_COUNT, scale), random))
    ]
    renewed, amended = quota(RENEWED_COUNT, scale), quota(AMENDED_COUNT, scale)
    for position, first in enumerate(firsts):
        trap = (
            "contract_renewal" if position < renewed else "contract_amendment" if position < renewed + amended else ""
        )
        if not trap:
            contracts.append(first)
            continue
        contracts.append(replace(first, traps=frozenset({trap})))
        follower = _renewal(first) if trap == "contract_renewal" else _amendment(first, random)
        contracts.append(replace(follower, traps=frozenset({trap})))
        relations.append(TrueRelation(trap.removeprefix("contract_") + "_of", follower.id, first.id))
    return contracts, relations + [TrueRelation("client_of", contract.client_id, contract.id) for contract in contracts]


def project_title(random: Random) -> str:
    """Draw a title that says what is done."""
    return f"{random.choice(PROJECT_SUBJECTS)} {random.choice(PROJECT_ACTIVITIES)}"


def _drawn(projects: Sequence[Project], count: int, random: Random) -> list[Project]:
    return random.sample(projects, k=min(count, len(projects)))


def _resource(number: int, first: str, last: str, random: Random) -> Resource:
    mailbox = anyascii(f"{first}.{last}").lower().replace("'", "").replace(" ", "")
    return Resource(
        id=f"resource-{number + 1:04d}",
        first_name=first,
        last_name=last,
        email=f"{mailbox}{number + 1}@demo-firm.example",
        personnel_number=f"P{10_000 + number * 7 + random.randint(0, 6)}",
        title=random.choice(JOB_TITLES),
        practice=random.choice(PRACTICES),
    )


def _project(
    number: int, client: Company, name: str, lead_id: str, random: Random, given: dict[str, object]
) -> Project:
    start = date(2023, 1, 2) + timedelta(days=random.randrange(1_000))
    project = Project(
        id=f"project-{number:04d}",
        client_id=client.id,
        name=name,
        code=f"PR{20_000 + number * 3}",
        start=start,
        end=start + timedelta(days=random.randint(40, 540)),
        status=random.choice(STATUSES),
        billing_method=random.choice(BILLING_METHODS),
        value=random.randint(8, 900) * 1_000,
        currency=client.currency,
        lead_id=lead_id,
    )
    return replace(project, **given)  # type: ignore[arg-type]


def _contract(number: int, project: Project, random: Random) -> Contract:
    return Contract(
        id=f"contract-{number + 1:04d}",
        client_id=project.client_id,
        name=random.choice(CONTRACT_SUBJECTS),
        number=f"C-{30_000 + number * 4}",
        start=project.start - timedelta(days=random.randint(5, 60)),
        end=project.end,
        status="active" if project.status == "active" else "expired",
        value=project.value,
        currency=project.currency,
        po_number=f"45{random.randint(10_000_000, 99_999_999)}",
        project_id=project.id,
    )


def _renewal(first: Contract) -> Contract:
    """Follow on with the same name and length, under the next number and purchase order."""
    length = first.end - first.start
    return replace(
        first,
        id=f"{first.id}-renewal",
        number=f"C-{int(first.number[2:]) + 1}",
        start=first.end + timedelta(days=1),
        end=first.end + timedelta(days=1) + length,
        po_number=f"{int(first.po_number) + 1}",
        status="active",
    )


def _amendment(first: Contract, random: Random) -> Contract:
    """Change the value within the same term, under the same purchase order."""
    return replace(
        first,
        id=f"{first.id}-amendment",
        name=f"{first.name} - Amendment 1",
        number=f"{first.number}-A1",
        value=first.value + random.randint(5, 90) * 1_000,
    )
