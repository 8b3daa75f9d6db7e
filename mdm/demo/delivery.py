"""Which system knows which project, contract and consultant, under which title and number."""

from collections.abc import Mapping, Sequence
from random import Random

from mdm.demo.companies import Company
from mdm.demo.engagements import Contract, Project, Resource
from mdm.demo.landscape import CUSTOMER_OBJECTS, Landscape, duplicate_some
from mdm.demo.traps import Sighting, mistyped, quota

DELIVERY_SYSTEMS = ("certinia", "kantata")
FINANCE_SYSTEMS = ("d365-emea", "netsuite-us")
SALES_SYSTEMS = ("salesforce-emea", "salesforce-us", "acquired-crm")
_PROJECT_OBJECTS = {"certinia": "pse__Proj__c", "kantata": "workspaces", "d365-emea": "project", "netsuite-us": "job"}
_CONTRACT_OBJECTS = {
    "salesforce-emea": "Contract",
    "salesforce-us": "Contract",
    "acquired-crm": "deals",
    "d365-emea": "projectcontract",
    "netsuite-us": "salesOrder",
}
_RESOURCE_OBJECTS = {"certinia": "Contact", "kantata": "users", "d365-emea": "worker", "netsuite-us": "employee"}
_DUPLICATE_PROJECTS_COUNT = 14
_DUPLICATE_CONTRACTS_COUNT = 20
_ORPHANS_COUNT = 6


def sight_resources(landscape: Landscape, resources: Sequence[Resource]) -> None:
    """Write each consultant down in a delivery system and in the payroll of a finance system."""
    random = landscape.random
    for resource in resources:
        home = random.randrange(2)
        delivery = DELIVERY_SYSTEMS if random.random() < 0.25 else (DELIVERY_SYSTEMS[home],)
        for instance in (*delivery, *FINANCE_SYSTEMS[home : home + 1]):
            last_name = resource.married_name if instance in delivery and resource.married_name else resource.last_name
            values = {
                "first_name": resource.first_name,
                "last_name": last_name,
                "email": resource.email.upper() if random.random() < 0.1 else resource.email,
                "personnel_number": resource.personnel_number,
                "title": resource.title,
                "practice": resource.practice,
            }
            if instance in delivery and "shared_mailbox" not in resource.traps and random.random() < 0.2:
                del values["personnel_number"]
            native_id = resource.personnel_number if instance == "d365-emea" else ""
            where = (instance, _RESOURCE_OBJECTS[instance], "", native_id, "resource", resource.id)
            landscape.add(Sighting(*where, values, landscape.moment(), {}, set(resource.traps)))


def sight_projects(
    landscape: Landscape, projects: Sequence[Project], company_by_id: Mapping[str, Company], scale: float
) -> None:
    """Write each project down where it is delivered and, mostly, where it is billed."""
    random = landscape.random
    for project in projects:
        if project.is_template:
            # Kantata and NetSuite keep templates apart; Certinia keeps them among the projects, often without a client.
            landscape.add(_project(landscape, project, "certinia", ""))
            continue
        delivery = [instance for instance in DELIVERY_SYSTEMS if landscape.scopes_of(instance, project.client_id)]
        finance = [instance for instance in FINANCE_SYSTEMS if landscape.scopes_of(instance, project.client_id)]
        billed = finance[:1] if random.random() < 0.85 else []
        for instance in (*delivery[: 2 if random.random() < 0.2 else 1], *billed):
            landscape.add(_project(landscape, project, instance, company_by_id[project.client_id].name))
    duplicate_some(landscape, "project", quota(_DUPLICATE_PROJECTS_COUNT, scale))
    plain = [s for s in landscape.sightings if s.entity_type == "project" and not s.traps and s.instance == "certinia"]
    for orphan in random.sample(plain, k=min(len(plain), quota(_ORPHANS_COUNT, scale))):
        del orphan.references["customer"]
        orphan.values["customer"] = landscape.free_key(orphan.instance, CUSTOMER_OBJECTS[orphan.instance], "")
        orphan.traps.add("parent_never_comes")


def sight_contracts(landscape: Landscape, contracts: Sequence[Contract], scale: float) -> None:
    """Write each contract down where it was sold and where it is billed."""
    random = landscape.random
    for contract in contracts:
        sales = [instance for instance in SALES_SYSTEMS if landscape.scopes_of(instance, contract.client_id)]
        finance = [instance for instance in FINANCE_SYSTEMS if landscape.scopes_of(instance, contract.client_id)]
        for instance in (*sales[: 2 if random.random() < 0.3 else 1], *finance[:1]):
            landscape.add(_contract(landscape, contract, instance))
    duplicate_some(landscape, "contract", quota(_DUPLICATE_CONTRACTS_COUNT, scale))


def _project(landscape: Landscape, project: Project, instance: str, client_name: str) -> Sighting:
    random = landscape.random
    scope = next(iter(landscape.scopes_of(instance, project.client_id)), "")
    object_name = _PROJECT_OBJECTS[instance]
    billed = instance in FINANCE_SYSTEMS
    is_shared = not billed or random.random() < 0.65
    code = project.code if is_shared else f"{scope or 'us'}-{landscape.free_key(instance, object_name, scope)}".upper()
    values = {
        "code": code,
        "name": _title(project, client_name, random) if billed else project.name,
        "start": project.start,
        "end": project.end,
        "status": project.status,
        "billing_method": project.billing_method,
        "value": project.value,
        "currency": project.currency,
        "own_legal_entity": _own_legal_entity(instance, scope),
        "is_template": project.is_template,
    }
    references = {"customer": project.client_id, "manager": project.lead_id}
    if project.parent_id:
        references["parent_project"] = project.parent_id
    native_id = code if instance == "d365-emea" else ""
    where = (instance, object_name, scope, native_id, "project", project.id)
    return Sighting(*where, values, landscape.moment(), references, set(project.traps))


def _title(project: Project, client_name: str, random: Random) -> str:
    """Spell a title as the finance department does: with the client or the code before it, or shortened."""
    shape = random.random()
    if shape < 0.2:
        return f"{client_name} - {project.name}"
    if shape < 0.35:
        return f"{project.code} {project.name}"
    if shape < 0.5:
        return (
            project.name.replace("Implementation", "Impl.")
            .replace("Migration", "Migr.")
            .replace("Platform", "Plattform")
        )
    return mistyped(project.name, random) if shape < 0.55 else project.name


def _contract(landscape: Landscape, contract: Contract, instance: str) -> Sighting:
    random = landscape.random
    scope = landscape.scopes_of(instance, contract.client_id)[0]
    billed = instance in FINANCE_SYSTEMS
    object_name = _CONTRACT_OBJECTS[instance]
    is_shared = random.random() < (0.6 if billed else 0.4)
    if is_shared:
        number = contract.number
    elif instance == "d365-emea":
        number = landscape.free_key(instance, object_name, scope)
    else:
        number = f"{random.randint(1, 99_999_999):08d}"
    values = {
        "name": contract.name,
        "number": number,
        "start": contract.start,
        "end": contract.end,
        "status": contract.status,
        "value": contract.value,
        "currency": contract.currency,
        "own_legal_entity": _own_legal_entity(instance, scope),
    }
    if billed or random.random() < 0.75:
        values["po_number"] = contract.po_number
    references = {"customer": contract.client_id}
    if landscape.keys.get((instance, scope, contract.project_id)):
        references["projects"] = contract.project_id
    native_id = number if instance == "d365-emea" else ""
    where = (instance, object_name, scope, native_id, "contract", contract.id)
    return Sighting(*where, values, landscape.moment(), references, set(contract.traps))


def _own_legal_entity(instance: str, scope: str) -> str:
    """Name the firm's own company behind a record: the D365 scope, or the one a system stands for."""
    if scope:
        return scope
    return "demf" if instance in {"certinia", "salesforce-emea"} else "usmf"
