"""What the vendors' own objects are called, and the column of an export that holds a record's id.

Only for files that do not say it themselves. The names are facts about the vendors' public interfaces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mdm.entities.columns import column_key, record_column


@dataclass(frozen=True, slots=True)
class VendorObject:
    """The object of a system that an entity type comes from, and the column with its id."""

    object: str
    id_column: str


OBJECTS: Final[Mapping[tuple[str, str], VendorObject]] = MappingProxyType(
    {
        ("salesforce", "customer"): VendorObject("Account", "Id"),
        ("salesforce", "project"): VendorObject("Opportunity", "Id"),
        ("salesforce", "contract"): VendorObject("Contract", "Id"),
        ("salesforce", "resource"): VendorObject("User", "Id"),
        ("certinia", "customer"): VendorObject("Account", "Id"),
        ("certinia", "project"): VendorObject("pse__Proj__c", "Id"),
        ("certinia", "resource"): VendorObject("Contact", "Id"),
        ("kantata", "customer"): VendorObject("workspace_groups", "id"),
        ("kantata", "project"): VendorObject("workspaces", "id"),
        ("kantata", "resource"): VendorObject("users", "id"),
        ("netsuite", "customer"): VendorObject("customer", "internalId"),
        ("netsuite", "project"): VendorObject("job", "internalId"),
        ("netsuite", "contract"): VendorObject("salesOrder", "internalId"),
        ("netsuite", "resource"): VendorObject("employee", "internalId"),
        ("d365", "customer"): VendorObject("customer", "CustomerAccount"),
        ("d365", "project"): VendorObject("project", "ProjectID"),
        ("d365", "contract"): VendorObject("projectcontract", "ProjectContractId"),
        ("d365", "resource"): VendorObject("worker", "PersonnelNumber"),
        ("hubspot", "customer"): VendorObject("companies", "hs_object_id"),
        ("hubspot", "contract"): VendorObject("deals", "hs_object_id"),
        ("crm", "customer"): VendorObject("companies", "id"),
        ("crm", "contract"): VendorObject("deals", "id"),
    }
)
# Endings of a column that names the id of its own entity type: customer id, Customer No., ContractNumber.
_OWN_ENDINGS: Final = ("id", "key", "number", "no", "account", "code", "nr")


def system_of(instance_id: str) -> str:
    """Guess the system of an instance from its id: salesforce-emea is a salesforce."""
    return instance_id.partition("-")[0]


def default_object(system: str, entity_type: str) -> str:
    """Name the object that an entity type comes from in a system; the entity type itself for an unknown vendor."""
    known = OBJECTS.get((system, entity_type))
    return known.object if known else entity_type


def id_column(columns: Iterable[str], *, system: str, entity_type: str) -> str | None:
    """Find the column with the record's id: the vendor's, one that says id, else the entity type's own number."""
    by_key = {column_key(column): column for column in reversed(list(columns))}
    known = OBJECTS.get((system, entity_type))
    if known and column_key(known.id_column) in by_key:
        return by_key[column_key(known.id_column)]
    plain = [column for column in by_key.values() if record_column(column) == "id"]
    if plain:
        return min(plain, key=list(by_key.values())[::-1].index)
    own = (column_key(f"{entity_type} {ending}") for ending in _OWN_ENDINGS)
    return next((by_key[key] for key in own if key in by_key), None)
