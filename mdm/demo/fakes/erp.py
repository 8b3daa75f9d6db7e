"""The fake ERP, in the manner of NetSuite and D365: numbers as keys, legal entities, many rules and no merge.

Field names are those that the vendors' own exports use, so that what it holds is read like any other source.
"""

from collections.abc import Mapping
from typing import Final

from mdm.demo.fakes.model import Character, Field, ObjectRules

FIRST_NUMBER: Final = 1001  # chosen: what people expect of a new number sequence


def _numbered(prefix: str, count: int) -> str:
    return f"{prefix}{FIRST_NUMBER - 1 + count}"


_CUSTOMER: Final[Mapping[str, Field]] = {
    "companyName": Field(is_required=True, length_max=83),  # NetSuite's own bound
    "vatRegNumber": Field(length_max=20),
    "registrationNumber": Field(length_max=50),
    "url": Field(),
    "phone": Field(length_max=32),
    "email": Field("email", length_max=254),
    "addr1": Field(length_max=150),
    "city": Field(length_max=50),
    "state": Field(length_max=50),
    "zip": Field(length_max=36),
    "country": Field("country"),
    "category": Field(length_max=60),
    "currency": Field("currency", is_required=True),
    "terms": Field("terms"),
    "taxTreatment": Field(length_max=60),
    "parent": Field("reference", object="customer"),
    "creditLimit": Field("number"),
    "creditHold": Field("flag"),
    "isInactive": Field("flag"),
}
_PROJECT: Final[Mapping[str, Field]] = {
    "projectName": Field(is_required=True, length_max=83),
    "projectCode": Field(length_max=80),
    "customer": Field("reference", is_required=True, object="customer"),
    "parentProject": Field("reference", object="project"),
    "contract": Field("reference", object="contract"),
    "startDate": Field("date"),
    "endDate": Field("date"),
    "projectStage": Field(length_max=60),
    "jobBillingType": Field(length_max=60),
    "jobPrice": Field("number"),
    "currency": Field("currency"),
    "projectManager": Field("reference", object="resource"),
    "isInactive": Field("flag"),
}
_CONTRACT: Final[Mapping[str, Field]] = {
    "contractName": Field(is_required=True, length_max=100),
    "contractNumber": Field(length_max=45),
    "customer": Field("reference", is_required=True, object="customer"),
    "project": Field("reference", object="project"),
    "contractDate": Field("date"),
    "startDate": Field("date"),
    "endDate": Field("date"),
    "total": Field("number"),
    "currency": Field("currency", is_required=True),
    "terms": Field("terms"),
    "status": Field(length_max=60),
    "otherRefNum": Field(length_max=45),
    "isInactive": Field("flag"),
}
_RESOURCE: Final[Mapping[str, Field]] = {
    "firstName": Field(length_max=32),
    "lastName": Field(is_required=True, length_max=32),
    "email": Field("email", is_required=True, length_max=254),
    "employeeNumber": Field(length_max=32),
    "title": Field(length_max=100),
    "isInactive": Field("flag"),
}
_RUNS: Final = (("startDate", "endDate"),)

ERP: Final = Character(
    name="erp",
    objects={
        "customer": ObjectRules(_CUSTOMER, is_scoped=True, duplicates=(("vatRegNumber",),), fixed_in_use=("currency",)),
        "project": ObjectRules(_PROJECT, is_scoped=True, periods=_RUNS),
        "contract": ObjectRules(_CONTRACT, is_scoped=True, periods=_RUNS),
        "resource": ObjectRules(_RESOURCE),
    },
    inactive_field="isInactive",
    make_id=_numbered,
    is_external_id_unique=True,
)
