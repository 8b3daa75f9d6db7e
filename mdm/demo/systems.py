"""How each system dresses a record: the vendor's column names, formats and codes.

Column names are facts about the vendors' public interfaces; a name ending in __c that is not the vendor's own is a
custom field of the demo firm's org.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mdm.demo.formats import (
    COUNTRY_ISO3,
    COUNTRY_NAME,
    COUNTRY_NATIVE,
    D365_BILLING,
    NETSUITE_BILLING,
    SALESFORCE_BILLING,
    address_line,
    coded,
    dialled_phone,
    midday,
    national_phone,
    plain,
    street_line,
)
from mdm.demo.traps import Sighting


@dataclass(frozen=True, slots=True)
class Layout:
    """One object of one system.

    columns  attribute of a sighting -> column; what is not named is not delivered
    formats  attribute -> how this system writes it; others are written as text
    """

    id_column: str
    updated_column: str
    columns: Mapping[str, str]
    formats: Mapping[str, Callable[[Any], Any]]
    scope_column: str = ""


def fields_of(sighting: Sighting, system: str) -> dict[str, Any]:
    """Write a sighting in the columns of its system, empty ones left out."""
    layout = LAYOUTS[system, sighting.object]
    values = dict(sighting.values)
    if "street" in values:
        values["street"] = street_line(values)
    if system == "kantata" and sighting.entity_type == "customer":
        values["address"] = address_line(values)
    if "first_name" in values and "last_name" in values:
        values["full_name"] = f"{values['first_name']} {values['last_name']}"
    fields = {
        column: layout.formats.get(name, plain)(values[name])
        for name, column in layout.columns.items()
        if name in values
    }
    return {column: value for column, value in fields.items() if value != ""}


_SALESFORCE_FORMATS: dict[str, Callable[[Any], Any]] = {
    "country": coded(COUNTRY_NAME),
    "status": lambda status: status.replace("_", " ").title(),
}
_SALESFORCE_ACCOUNT = {
    "legal_name": "Name",
    "former_names": "Former_Name__c",
    "tax_id": "VAT_Number__c",
    "duns": "DunsNumber",
    "lei": "LEI__c",
    "website": "Website",
    "phone": "Phone",
    "email": "Email__c",
    "street": "BillingStreet",
    "city": "BillingCity",
    "postal_code": "BillingPostalCode",
    "country": "BillingCountry",
    "industry": "Industry",
    "currency": "CurrencyIsoCode",
    "status": "Status__c",
    "parent": "ParentId",
}
_SALESFORCE_CONTRACT = {
    "number": "ContractNumber",
    "name": "Name",
    "customer": "AccountId",
    "start": "StartDate",
    "end": "EndDate",
    "value": "Contract_Value__c",
    "currency": "CurrencyIsoCode",
    "status": "Status",
    "po_number": "PO_Number__c",
}

LAYOUTS: dict[tuple[str, str], Layout] = {
    ("salesforce", "Account"): Layout("Id", "SystemModstamp", _SALESFORCE_ACCOUNT, _SALESFORCE_FORMATS),
    ("salesforce", "Contract"): Layout("Id", "SystemModstamp", _SALESFORCE_CONTRACT, _SALESFORCE_FORMATS),
    ("certinia", "Account"): Layout(
        "Id",
        "SystemModstamp",
        {
            **{name: column for name, column in _SALESFORCE_ACCOUNT.items() if name not in {"duns", "lei", "industry"}},
            "tax_id": "c2g__CODAVATRegistrationNumber__c",
            "country": "BillingCountryCode",
            "payment_terms": "Payment_Terms__c",
        },
        {"status": str.title, "payment_terms": lambda days: f"{days} days" if isinstance(days, int) else days},
    ),
    ("certinia", "pse__Proj__c"): Layout(
        "Id",
        "SystemModstamp",
        {
            "name": "Name",
            "code": "pse__Project_ID__c",
            "customer": "pse__Account__c",
            "parent_project": "pse__Parent_Project__c",
            "start": "pse__Start_Date__c",
            "end": "pse__End_Date__c",
            "status": "pse__Stage__c",
            "billing_method": "pse__Billing_Type__c",
            "value": "pse__Bookings__c",
            "currency": "CurrencyIsoCode",
            "manager": "pse__Project_Manager__c",
            "own_legal_entity": "Legal_Entity__c",
            "is_template": "pse__Is_Template__c",
        },
        {
            "status": coded({"planned": "Planned", "active": "In Progress", "closed": "Completed"}),
            "billing_method": coded(SALESFORCE_BILLING),
        },
    ),
    ("certinia", "Contact"): Layout(
        "Id",
        "SystemModstamp",
        {
            "first_name": "FirstName",
            "last_name": "LastName",
            "email": "Email",
            "personnel_number": "pse__ERP_Worker_Correlation_Id__c",
            "title": "Title",
            "practice": "pse__Practice__c",
        },
        {},
    ),
    ("kantata", "workspace_groups"): Layout(
        "id",
        "updated_at",
        {
            "legal_name": "name",
            "website": "website",
            "phone": "phone_number",
            "email": "email",
            "address": "address",
        },
        {},
    ),
    ("kantata", "workspaces"): Layout(
        "id",
        "updated_at",
        {
            "name": "title",
            "code": "external_link",
            "customer": "primary_workspace_group_id",
            "start": "start_date",
            "end": "due_date",
            "status": "status",
            "value": "price",
            "currency": "currency",
            "manager": "primary_maven_id",
        },
        {"status": coded({"planned": "Estimate", "active": "In Progress", "closed": "Completed"})},
    ),
    ("kantata", "users"): Layout(
        "id",
        "updated_at",
        {"full_name": "full_name", "email": "email_address", "title": "headline"},
        {},
    ),
    ("d365", "customer"): Layout(
        "CustomerAccount",
        "ModifiedDateTime",
        {
            "legal_name": "OrganizationName",
            "former_names": "FormerName",
            "tax_id": "TaxExemptNumber",
            "registration_number": "OrganizationNumber",
            "lei": "LegalEntityIdentifier",
            "website": "PrimaryContactURL",
            "phone": "PrimaryContactPhone",
            "email": "PrimaryContactEmail",
            "street": "InvoiceAddressStreet",
            "city": "InvoiceAddressCity",
            "postal_code": "InvoiceAddressZipCode",
            "country": "InvoiceAddressCountryRegionId",
            "industry": "LineOfBusinessId",
            "currency": "SalesCurrencyCode",
            "payment_terms": "PaymentTerms",
            "status": "OnHoldStatus",
        },
        {
            "phone": dialled_phone,
            "country": coded(COUNTRY_ISO3),
            "payment_terms": lambda days: f"Net{days}" if isinstance(days, int) else days,
            "status": coded({"active": "No", "inactive": "All"}),
        },
        scope_column="dataAreaId",
    ),
    ("d365", "project"): Layout(
        "ProjectID",
        "ModifiedDateTime",
        {
            "name": "ProjectName",
            "code": "ProjectID",
            "customer": "CustomerAccount",
            "parent_project": "ParentProject",
            "start": "ProjectedStartDate",
            "end": "ProjectedEndDate",
            "status": "ProjectStage",
            "billing_method": "ProjectType",
            "manager": "ProjectManagerPersonnelNumber",
            "is_template": "IsProjectTemplate",
        },
        {
            "start": midday,
            "end": midday,
            "status": coded({"planned": "Created", "active": "InProcess", "closed": "Finished"}),
            "billing_method": coded(D365_BILLING),
            "is_template": lambda flag: "Yes" if flag else "No",
        },
        scope_column="dataAreaId",
    ),
    ("d365", "projectcontract"): Layout(
        "ProjectContractId",
        "ModifiedDateTime",
        {
            "number": "ProjectContractId",
            "name": "Name",
            "customer": "CustomerAccountNumber",
            "currency": "SalesCurrencyCode",
            "po_number": "CustomersOrderReference",
            "projects": "ProjectID",
        },
        {},
        scope_column="dataAreaId",
    ),
    ("d365", "worker"): Layout(
        "PersonnelNumber",
        "ModifiedDateTime",
        {"full_name": "Name", "email": "PrimaryContactEmail", "personnel_number": "PersonnelNumber", "title": "Title"},
        {},
    ),
    ("netsuite", "customer"): Layout(
        "internalId",
        "lastModifiedDate",
        {
            "legal_name": "companyName",
            "former_names": "custentity_former_name",
            "tax_id": "vatRegNumber",
            "website": "url",
            "phone": "phone",
            "email": "email",
            "street": "addr1",
            "city": "city",
            "postal_code": "zip",
            "country": "country",
            "industry": "category",
            "currency": "currency",
            "payment_terms": "terms",
            "status": "isInactive",
            "parent": "parent",
        },
        {
            "phone": national_phone,
            "payment_terms": lambda days: f"Net {days}" if isinstance(days, int) else days,
            "status": coded({"active": "F", "inactive": "T"}),
        },
    ),
    ("netsuite", "job"): Layout(
        "internalId",
        "lastModifiedDate",
        {
            "name": "companyName",
            "code": "entityId",
            "customer": "parent",
            "start": "startDate",
            "end": "projectedEndDate",
            "status": "entityStatus",
            "billing_method": "jobBillingType",
            "value": "jobPrice",
            "currency": "currency",
            "manager": "projectManager",
            "own_legal_entity": "subsidiary",
        },
        {
            "status": coded({"planned": "Pending", "active": "In Progress", "closed": "Closed"}),
            "billing_method": coded(NETSUITE_BILLING),
        },
    ),
    ("netsuite", "salesOrder"): Layout(
        "internalId",
        "lastModifiedDate",
        {
            "number": "tranId",
            "name": "memo",
            "customer": "entity",
            "start": "startDate",
            "end": "endDate",
            "value": "total",
            "currency": "currency",
            "po_number": "otherRefNum",
            "projects": "job",
            "status": "status",
            "own_legal_entity": "subsidiary",
        },
        {"status": coded({"active": "Pending Billing", "expired": "Closed"})},
    ),
    ("netsuite", "employee"): Layout(
        "internalId",
        "lastModifiedDate",
        {
            "personnel_number": "employeeNumber",
            "first_name": "firstName",
            "last_name": "lastName",
            "email": "email",
            "title": "title",
        },
        {},
    ),
    ("crm", "companies"): Layout(
        "id",
        "updated_at",
        {
            "legal_name": "company_name",
            "former_names": "formerly",
            "tax_id": "vat_id",
            "website": "domain",
            "phone": "telephone",
            "email": "email",
            "street": "street",
            "city": "town",
            "postal_code": "postcode",
            "country": "country",
            "industry": "sector",
            "status": "status",
        },
        {"country": coded(COUNTRY_NATIVE), "phone": national_phone},
    ),
    ("crm", "deals"): Layout(
        "id",
        "updated_at",
        {
            "number": "contract_no",
            "name": "contract_name",
            "customer": "company_id",
            "start": "valid_from",
            "end": "valid_to",
            "value": "amount",
            "currency": "currency",
            "po_number": "purchase_order",
            "status": "status",
        },
        {},
    ),
}
