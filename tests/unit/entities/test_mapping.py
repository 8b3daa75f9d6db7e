"""Delivered rows of the systems a firm runs, in the hub's words."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mdm.entities.mapping import completeness, map_record, match_row, read_value
from mdm.entities.model import EntityType, Origin
from mdm.entities.service import entity_types

CUSTOMER = entity_types()["customer"]
PROJECT = entity_types()["project"]
CONTRACT = entity_types()["contract"]
RESOURCE = entity_types()["resource"]


def test_a_salesforce_account() -> None:
    row = {
        "attributes": {"type": "Account", "url": "/services/data/v62.0/sobjects/Account/0015g00000AbCdEAAV"},
        "Id": "0015g00000AbCdEAAV",
        "Name": "Northwind Engineering GmbH",
        "BillingStreet": "Hafenstr. 5\r\nHaus 2",
        "BillingCity": "Berlin",
        "BillingState": None,
        "BillingPostalCode": "10115",
        "BillingCountry": "Germany",
        "ShippingCity": "Hamburg",
        "Phone": "+49 30 1234567",
        "Website": "northwind.example",
        "DunsNumber": "315078963",
        "Industry": "Engineering",
        "ParentId": "0015g00000ZzZzZAAV",
        "CurrencyIsoCode": "EUR",
        "NumberOfEmployees": 120,
        "AnnualRevenue": 14500000.5,
        "OwnerId": "0055g00000XyXyXAAV",
        "NaicsCode": "541330",
        "CreatedDate": "2019-03-01T09:30:00.000+0000",
        "TickerSymbol": "NWE",
        "SystemModstamp": "2026-11-20T08:15:42.000+0000",
    }

    mapped = map_record(CUSTOMER, row, origin=Origin("salesforce-emea"))

    assert mapped.values == {
        "legal_name": "Northwind Engineering GmbH",
        "duns": "315078963",
        "website": "northwind.example",
        "phones": ["+49 30 1234567"],
        "street": "Hafenstr. 5, Haus 2",
        "city": "Berlin",
        "postal_code": "10115",
        "country": "DE",
        "parent": "0015g00000ZzZzZAAV",
        "industry": "manufacturing",
        "industry_codes": ["541330"],
        "employees": "120",
        "annual_revenue": "14500000.5",
        "account_owner": "0055g00000XyXyXAAV",
        "currency": "EUR",
        "created": "2019-03-01",
    }
    assert mapped.undeclared == {
        "attributes": {"type": "Account", "url": "/services/data/v62.0/sobjects/Account/0015g00000AbCdEAAV"},
        "ShippingCity": "Hamburg",
        "TickerSymbol": "NWE",
    }
    assert mapped.faults == ()


def test_a_netsuite_customer_with_references_and_sublists() -> None:
    row = {
        "id": "107",
        "companyName": "Northwind Engineering",
        "email": "ap@northwind.example",
        "vatRegNumber": "DE136695976",
        "currency": {"id": "4", "refName": "Euro", "links": []},
        "subsidiary": {"id": "2", "refName": "Parent : Germany", "links": []},
        "parent": {"id": "98", "refName": "CUST-00098 Northwind Holding", "links": []},
        "entityStatus": {"id": "13", "refName": "CUSTOMER-Closed Won", "links": []},
        "terms": {"id": "2", "refName": "Net 30", "links": []},
        "salesRep": {"id": "31", "refName": "Ada King", "links": []},
        "isInactive": False,
        "addressBook": {
            "items": [
                {
                    "label": "HQ",
                    "addressBookAddress": {
                        "addr1": "Hafenstr. 5",
                        "city": "Berlin",
                        "zip": "10115",
                        "country": {"id": "DE", "refName": "Germany"},
                    },
                }
            ],
            "totalResults": 1,
        },
    }

    mapped = map_record(CUSTOMER, row, origin=Origin("netsuite-us"))

    assert mapped.values == {
        "legal_name": "Northwind Engineering",
        "tax_ids": ["DE136695976"],
        "emails": ["ap@northwind.example"],
        "addresses": [
            {"kind": "HQ", "street": "Hafenstr. 5", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        ],
        "parent": "98",
        "account_owner": "31",
        "currency": "EUR",
        "payment_terms": "net_30",
        "status": "active",
        "own_legal_entity": ["Parent : Germany"],
    }
    assert mapped.faults == ()


def test_a_dynamics_customer_with_its_empty_texts() -> None:
    row = {
        "dataAreaId": "usmf",
        "CustomerAccount": "C001",
        "OrganizationName": "Northwind Inc.",
        "KnownAs": "",
        "TaxExemptNumber": "",
        "AddressStreet": "1 Main St",
        "AddressCity": "Redmond",
        "AddressZipCode": "98052",
        "AddressState": "WA",
        "AddressCountryRegionId": "USA",
        "InvoiceAddressStreet": "",
        "InvoiceAddressCity": "",
        "InvoiceAddressCountryRegionId": "",
        "SalesCurrencyCode": "USD",
        "PaymentTerms": "Net30",
        "OnHoldStatus": "No",
        "PrimaryContactPhone": "425-555-0100",
        "OrganizationNumberOfEmployees": 45,
        "EmployeeResponsibleNumber": "000072",
    }

    mapped = map_record(CUSTOMER, row, origin=Origin("d365-us"))

    assert mapped.values == {
        "legal_name": "Northwind Inc.",
        "phones": ["425-555-0100"],
        "street": "1 Main St",
        "city": "Redmond",
        "postal_code": "98052",
        "region": "WA",
        "country": "US",
        "currency": "USD",
        "payment_terms": "net_30",
        "employees": "45",
        "account_owner": "000072",
        "status": "active",
        "own_legal_entity": ["usmf"],
    }
    assert mapped.undeclared == {"CustomerAccount": "C001"}


def test_an_address_is_never_stitched_from_two_columns_of_one_row() -> None:
    row = {"Name": "Acme", "BillingStreet": "", "BillingCity": "Berlin", "street": "1 Main St", "country": "US"}

    mapped = map_record(CUSTOMER, row, origin=Origin("crm"))

    # The billing address has no street and says so; it has no column for the country, which the plain one gives.
    assert (mapped.values.get("street"), mapped.values["city"], mapped.values["country"]) == (None, "Berlin", "US")
    assert mapped.undeclared == {"street": "1 Main St"}


def test_headers_people_write() -> None:
    row = {
        "Account Name": "Acme",
        "E-Mail": "a@acme.example; b@acme.example",
        "VAT number": "GB123456782|",
        "ZIP": "10115",
    }

    mapped = map_record(CUSTOMER, row, origin=Origin("excel"))

    assert mapped.values == {
        "legal_name": "Acme",
        "tax_ids": ["GB123456782"],
        "emails": ["a@acme.example", "b@acme.example"],
        "postal_code": "10115",
    }


def test_a_column_mapped_by_hand_comes_before_all_names() -> None:
    row = {"name": "Acme", "full title": "Acme Holding Ltd", "city": "Berlin"}

    mapped = map_record(CUSTOMER, row, origin=Origin("x"), column_map={"full title": "legal_name", "city": ""})

    assert mapped.values == {"legal_name": "Acme Holding Ltd"}
    assert mapped.undeclared == {"name": "Acme", "city": "Berlin"}


def test_an_unknown_code_warns_and_stays_undeclared() -> None:
    mapped = map_record(CUSTOMER, {"name": "Acme", "terms": "when we feel like it"}, origin=Origin("netsuite-us"))

    assert mapped.values == {"legal_name": "Acme"}
    assert mapped.undeclared == {"terms": "when we feel like it"}
    assert [(fault.field, fault.code, fault.severity) for fault in mapped.faults] == [
        ("payment_terms", "unknown_code", "warn")
    ]
    assert "netsuite-us" in mapped.faults[0].remedy
    assert not mapped.is_rejected


def test_a_bad_field_of_an_address_costs_that_field_only() -> None:
    row = {
        "name": "Acme",
        "addresses": [{"kind": "site", "city": "Berlin", "country": "Atlantis"}, {"city": "Bonn"}, {}],
    }

    mapped = map_record(CUSTOMER, row, origin=Origin("x"))

    assert mapped.values["addresses"] == [{"kind": "site", "city": "Berlin"}, {"kind": "other", "city": "Bonn"}]
    assert [fault.code for fault in mapped.faults] == ["unknown_code"]
    assert "addresses" in mapped.undeclared


@pytest.mark.parametrize(
    ("column", "delivered", "value"),
    [
        ("start date", "2026-09-01", "2026-09-01"),
        ("start date", "2026-09-01T12:00:00Z", "2026-09-01"),
        ("start date", "31.12.2026", "2026-12-31"),
        ("start date", date(2026, 9, 1), "2026-09-01"),
        ("start date", datetime(2026, 9, 1, 12), "2026-09-01"),  # noqa: DTZ001 -- spreadsheets know no time zone
        ("start date", "1900-01-01T12:00:00Z", None),
        ("end date", "2154-12-31T23:59:59Z", None),
        ("value", "12,500.00", "12500"),
        ("value", "1.234,50 €", "1234.5"),
        ("value", 1250.5, "1250.5"),
        ("value", 0, "0"),
        ("value", Decimal("1E+3"), "1000"),
        ("value", "123456789012345678901234567891", "123456789012345678901234567891"),
        ("value", "-0.00", "0"),
        ("value", float("nan"), None),
        ("code", 4711.0, "4711"),
        ("code", "n/a", None),
        ("is billable", "T", "true"),
        ("is billable", False, "false"),
        ("name", "  Roll-out\u0000 \t one ", "Roll-out one"),
        ("name", "TEST", None),
        ("customer", {"id": "98", "refName": "Northwind"}, "98"),
        ("customer", "netsuite-us/customer:42", "netsuite-us/customer:42"),
    ],
)
def test_values_are_read_by_their_type(column: str, delivered: Any, value: str | None) -> None:
    mapped = map_record(PROJECT, {column: delivered}, origin=Origin("x"))

    attribute = {"start date": "start_date", "end date": "end_date", "is billable": "is_billable"}.get(column, column)
    assert mapped.values.get(attribute) == value
    assert not [fault for fault in mapped.faults if fault.code.startswith("not_a")]


@pytest.mark.parametrize(
    ("column", "delivered", "code"),
    [
        ("start date", "soon", "not_a_date"),
        ("value", "about ten", "not_a_number"),
        ("value", "12k", "not_a_number"),
        ("value", "1e999999", "not_a_number"),
        ("is billable", "perhaps", "not_a_boolean"),
        ("name", {"first": "a"}, "not_a_single_value"),
        ("name", "long " * 1000, "too_long"),
        ("name", True, "not_a_text"),
        ("code", False, "not_a_text"),
        ("customer", True, "not_a_text"),
        ("start date", True, "not_a_text"),
        ("value", True, "not_a_text"),
    ],
)
def test_what_cannot_be_read_is_a_fault_and_is_kept(column: str, delivered: Any, code: str) -> None:
    mapped = map_record(PROJECT, {"name": "Roll-out", "code": "P1", column: delivered}, origin=Origin("x"))

    assert code in [fault.code for fault in mapped.faults]
    assert column in mapped.undeclared


def test_a_certinia_project_and_a_template() -> None:
    row = {
        "Id": "a1X5e000001AbCdEAK",
        "Name": "Northwind – ERP roll-out phase 2",
        "pse__Project_ID__c": "PR-004711",
        "pse__Account__c": "0015e000012ABCDAA4",
        "pse__Stage__c": "In Progress",
        "pse__Billing_Type__c": "Time and Materials",
        "pse__Is_Template__c": False,
        "pse__Start_Date__c": "2026-09-01",
        "pse__End_Date__c": "2026-08-01",
        "CurrencyIsoCode": "EUR",
    }

    mapped = map_record(PROJECT, row, origin=Origin("certinia"))
    template = map_record(PROJECT, {**row, "pse__Is_Template__c": True}, origin=Origin("certinia"))

    assert mapped.values == {
        "name": "Northwind – ERP roll-out phase 2",
        "code": "PR-004711",
        "customer": "0015e000012ABCDAA4",
        "start_date": "2026-09-01",
        "end_date": "2026-08-01",
        "status": "active",
        "billing_method": "time_and_materials",
        "currency": "EUR",
        "is_template": "false",
    }
    assert [fault.code for fault in mapped.faults] == ["ends_before_start"]
    assert template.is_rejected


def test_a_contract_lists_its_projects() -> None:
    row = {
        "ContractNumber": "C-9",
        "AccountId": "001",
        "projects": "p1; p2",
        "Status": "Activated",
        "kind": "Change Order",
    }

    mapped = map_record(CONTRACT, row, origin=Origin("salesforce"))

    assert mapped.values["projects"] == ["p1", "p2"]
    assert (mapped.values["status"], mapped.values["kind"]) == ("active", "amendment")
    assert [fault.code for fault in mapped.faults] == ["amendment_of_nothing"]


@pytest.mark.parametrize(
    ("declared", "row", "attribute", "value"),
    [
        (CUSTOMER, {"OrganizationName": "Vetro SpA", "FiscalCode": "00743110157"}, "tax_ids", ["00743110157"]),
        (CONTRACT, {"title": "Roll-out", "due_date": "2026-12-31"}, "end_date", "2026-12-31"),
        (CONTRACT, {"title": "Roll-out", "price": "12000"}, "value", "12000"),
        (CONTRACT, {"Name": "C-9", "CustomerRequisitionNumber": "4500017"}, "po_number", "4500017"),
        (PROJECT, {"Name": "Roll-out", "pse__Master_Project__c": "a0X1"}, "parent_project", "a0X1"),
        (PROJECT, {"Name": "Roll-out", "KimbleOne__SalesOpportunity__c": "a1K7"}, "contract", "a1K7"),
        (PROJECT, {"Name": "Roll-out", "KimbleOne__DeliveryStage__c": "In Delivery"}, "status", "active"),
        # A traffic light, which says nothing of the life of a project.
        (PROJECT, {"pse__Stage__c": "In Progress", "pse__Project_Status__c": "Green"}, "status", "active"),
    ],
)
def test_columns_of_the_vendors_are_known(
    declared: EntityType, row: dict[str, Any], attribute: str, value: object
) -> None:
    assert map_record(declared, row).values[attribute] == value


def test_a_resource_by_first_and_last_name() -> None:
    row = {"FirstName": "Ada", "LastName": "King", "Email": "ada@firm.example", "pse__Is_Resource_Active__c": True}

    mapped = map_record(RESOURCE, row, origin=Origin("certinia"))

    assert mapped.values == {
        "full_name": "Ada King",
        "first_name": "Ada",
        "last_name": "King",
        "emails": ["ada@firm.example"],
        "status": "active",
    }


def test_of_several_values_for_one_the_first_is_taken_with_a_warning() -> None:
    mapped = map_record(
        RESOURCE, {"Full_Name": ["Ada King", "Ada Lovelace"], "Email": ["a@x.example"]}, origin=Origin("x")
    )

    assert mapped.values == {"full_name": "Ada King", "emails": ["a@x.example"]}
    assert [(fault.field, fault.code, fault.severity) for fault in mapped.faults] == [
        ("full_name", "not_a_single_value", "warn")
    ]


def test_a_row_for_matching_holds_what_the_features_read() -> None:
    values = {
        "legal_name": "Acme",
        "tax_ids": ["DE136695976"],
        "addresses": [{"kind": "site", "city": "Berlin"}, {"kind": "other", "street": "Am Ring 1", "city": "Bonn"}],
        "payment_terms": "net_30",
    }

    assert match_row(CUSTOMER, values) == {
        "legal_name": ["Acme"],
        "tax_ids": ["DE136695976"],
        "addresses.city": ["Berlin", "Bonn"],
        "addresses.street": ["Am Ring 1"],
    }


def test_completeness_is_the_filled_share_of_the_weights() -> None:
    weights = {name: attribute.weight for name, attribute in CUSTOMER.attributes.items()}

    assert completeness(CUSTOMER, {}) == 0.0
    assert completeness(CUSTOMER, {"legal_name": "Acme"}) == round(3 / sum(weights.values()), 4)
    assert completeness(CUSTOMER, dict.fromkeys(weights, "x")) == 1.0


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("country", "Österreich", "AT"),
        ("legal_name", " Müller GmbH ", "Müller GmbH"),
        ("legal_name", ["Müller GmbH"], "Müller GmbH"),
        ("tax_ids", "ATU12345675; DE136695976", ["ATU12345675", "DE136695976"]),
        ("website", "", None),
        ("website", None, None),
    ],
)
def test_one_value_is_read_as_a_delivered_one(name: str, given: Any, value: Any) -> None:
    assert read_value(CUSTOMER, name, given) == (value, ())


def test_one_value_that_cannot_be_read_tells_all_its_faults() -> None:
    assert [fault.code for fault in read_value(CUSTOMER, "country", "Deutschlnd")[1]] == ["unknown_code"]
    assert [fault.code for fault in read_value(CUSTOMER, "legal_name", ["A GmbH", "B GmbH"])[1]] == [
        "not_a_single_value"
    ]
