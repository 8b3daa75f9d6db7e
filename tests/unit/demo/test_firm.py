"""The demo firm is the same on every machine, has all of its traps, and tells the truth about itself."""

import time
from collections import Counter

import phonenumbers
import pytest

from mdm.demo.firm import DemoFirm, DemoRecord, build_firm, sample
from mdm.demo.tax_numbers import PATTERNS, tax_number_is_valid
from mdm.demo.traps import TRAPS

TAX_COLUMNS = frozenset(
    {"TaxExemptNumber", "vatRegNumber", "c2g__CODAVATRegistrationNumber__c", "VAT_Number__c", "vat_id"}
)
PHONE_COLUMNS = frozenset({"Phone", "phone_number"})
CLIENT_COLUMNS = {
    "pse__Proj__c": "pse__Account__c",
    "workspaces": "primary_workspace_group_id",
    "project": "CustomerAccount",
    "job": "parent",
    "Contract": "AccountId",
    "projectcontract": "CustomerAccountNumber",
    "salesOrder": "entity",
    "deals": "company_id",
}


@pytest.fixture(scope="module")
def firm() -> DemoFirm:
    return build_firm()


def tax_ids(firm: DemoFirm) -> list[tuple[DemoRecord, str]]:
    return [(r, r.fields[column]) for r in firm.records for column in TAX_COLUMNS & r.fields.keys()]


def test_the_same_seed_gives_the_same_firm(firm: DemoFirm) -> None:
    again = build_firm(seed=7, scale=1.0)

    assert repr(again.records) == repr(firm.records)
    assert again.relations == firm.relations


def test_another_seed_gives_another_firm(firm: DemoFirm) -> None:
    assert build_firm(seed=8).records != firm.records


def test_the_firm_is_made_within_two_seconds_of_one_processor() -> None:
    started = time.process_time()

    build_firm()

    assert time.process_time() - started < 2


def test_about_four_thousand_records_come_from_all_systems(firm: DemoFirm) -> None:
    records_by_type = Counter(record.entity_type for record in firm.records)

    assert 3_700 <= len(firm.records) <= 4_300
    assert records_by_type["customer"] > 1_500
    assert records_by_type["project"] > 800
    assert records_by_type["contract"] > 600
    assert records_by_type["resource"] > 350
    assert {record.instance for record in firm.records} == {instance.id for instance in firm.instances}


def test_a_tenth_of_the_scale_has_a_tenth_of_the_records_and_every_trap() -> None:
    small = build_firm(scale=0.1)

    assert 330 <= len(small.records) <= 470
    assert set(TRAPS) == {trap for record in small.records for trap in record.traps}


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_is_there_often_enough(firm: DemoFirm, trap: str) -> None:
    assert sum(trap in record.traps for record in firm.records) >= TRAPS[trap].records_count_min


def test_no_record_has_a_trap_without_a_name(firm: DemoFirm) -> None:
    assert {trap for record in firm.records for trap in record.traps} <= set(TRAPS)


def test_source_keys_are_unique(firm: DemoFirm) -> None:
    assert max(Counter(record.key for record in firm.records).values()) == 1


def test_keys_are_unique_per_record_type_or_legal_entity_only(firm: DemoFirm) -> None:
    """A hub that forgets the object of a NetSuite key, or the legal entity of a D365 key, must be caught here."""
    places = {(r.instance, r.object, r.scope): set[str]() for r in firm.records}
    for record in firm.records:
        places[record.instance, record.object, record.scope].add(record.native_id)

    assert places["netsuite-us", "customer", ""] & places["netsuite-us", "job", ""]
    assert places["d365-emea", "customer", "demf"] & places["d365-emea", "customer", "usmf"]


def test_every_record_has_a_truth_of_its_own_type(firm: DemoFirm) -> None:
    prefixes = {"customer": "company-", "project": "project-", "contract": "contract-", "resource": "resource-"}

    assert all(record.truth.startswith(prefixes[record.entity_type]) for record in firm.records)


def test_relations_name_entities_that_have_records(firm: DemoFirm) -> None:
    known = {record.truth for record in firm.records}

    assert {end for relation in firm.relations for end in (relation.first, relation.second)} <= known
    assert {relation.kind for relation in firm.relations} == {
        *(
            "parent_of",
            "sister_of",
            "acquired_by",
            "succeeded_by",
            "phase_of",
            "amendment_of",
            "renewal_of",
            "client_of",
        ),
    }


def test_every_tax_id_is_valid_but_for_the_mistyped(firm: DemoFirm) -> None:
    spoiled = {"tax_id_typo", "placeholder"}

    right = [number for record, number in tax_ids(firm) if not spoiled & record.traps]
    wrong = [number for record, number in tax_ids(firm) if "tax_id_typo" in record.traps]

    assert len(right) > 500
    assert all(any(tax_number_is_valid(country, number) for country in PATTERNS) for number in right)
    checked = [country for country in PATTERNS if country not in {"US", "EG"}]
    assert not any(tax_number_is_valid(country, number) for country in checked for number in wrong)


def test_a_tax_id_belongs_to_one_company_unless_it_was_copied(firm: DemoFirm) -> None:
    owners: dict[str, set[str]] = {}
    for record, number in tax_ids(firm):
        if not {"tax_id_of_sister", "placeholder", "tax_id_typo"} & record.traps:
            owners.setdefault(number, set()).add(record.truth)

    assert max(len(truths) for truths in owners.values()) == 1


def test_phones_could_be_dialled(firm: DemoFirm) -> None:
    phones = [
        record.fields[column]
        for record in firm.records
        for column in PHONE_COLUMNS & record.fields.keys()
        if "placeholder" not in record.traps
    ]

    assert len(phones) > 500
    assert all(phonenumbers.is_possible_number(phonenumbers.parse(phone)) for phone in phones)


def test_a_child_names_a_client_that_its_own_system_delivers(firm: DemoFirm) -> None:
    delivered = {(r.instance, r.scope, r.native_id) for r in firm.records if r.entity_type == "customer"}
    dangling = [
        record
        for record in firm.records
        if (column := CLIENT_COLUMNS.get(record.object)) is not None
        and "project_template" not in record.traps
        and (record.instance, record.scope, record.fields[column]) not in delivered
    ]

    assert len(dangling) >= 4
    assert all("parent_never_comes" in record.traps for record in dangling)


def test_some_children_are_delivered_before_their_clients(firm: DemoFirm) -> None:
    position = {
        (r.instance, r.scope, r.native_id): at for at, r in enumerate(firm.records) if r.entity_type == "customer"
    }
    early = [
        record
        for at, record in enumerate(firm.records)
        if record.object in {"workspaces", "deals"}
        and at < position[record.instance, record.scope, record.fields[CLIENT_COLUMNS[record.object]]]
    ]

    assert len(early) >= 200


def test_each_system_writes_countries_and_phones_its_own_way(firm: DemoFirm) -> None:
    by_object: dict[str, set[str]] = {}
    for record in firm.records:
        for column in ("BillingCountry", "BillingCountryCode", "InvoiceAddressCountryRegionId", "country"):
            if column in record.fields:
                by_object.setdefault(f"{record.instance}.{column}", set()).add(record.fields[column])

    assert "Germany" in by_object["salesforce-emea.BillingCountry"]
    assert "DE" in by_object["certinia.BillingCountryCode"]
    assert "DEU" in by_object["d365-emea.InvoiceAddressCountryRegionId"]
    assert "US" in by_object["netsuite-us.country"]


@pytest.mark.parametrize("records_count", [300, 1_000])
def test_a_sample_keeps_clusters_whole_and_brings_the_clients(firm: DemoFirm, records_count: int) -> None:
    small = sample(firm, records_count, seed=1)

    kept = {record.truth for record in small.records}
    assert records_count * 0.95 <= len(small.records) <= records_count
    assert [record for record in firm.records if record.truth in kept] == list(small.records)
    clients = {relation.second: relation.first for relation in firm.relations if relation.kind == "client_of"}
    assert {clients[truth] for truth in kept if truth in clients} <= kept
    assert {record.entity_type for record in small.records} == {"customer", "project", "contract", "resource"}


def test_samples_of_other_seeds_differ(firm: DemoFirm) -> None:
    assert sample(firm, 300, seed=1).records != sample(firm, 300, seed=2).records
