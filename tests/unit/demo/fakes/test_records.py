"""The state of a fake keeps the rules of its character, and shows every change once, in order."""

import pytest

from mdm.demo.fakes.model import Refused
from mdm.demo.fakes.records import CHANGES_MIN, Draft, Edit
from tests.unit.demo.fakes.systems import client, codes, crm, erp, refusal


def test_a_new_record_has_the_next_number_of_its_object() -> None:
    system = erp()

    numbers = [system.enter("customer", client(name), by="anna").native_id for name in ("A", "B")]
    other = system.enter("resource", {"lastName": "Roth", "email": "r@firm.example"}, by="anna")

    assert numbers == ["1001", "1002"]
    assert other.native_id == "1001"


def test_a_number_that_a_user_chose_is_passed_over() -> None:
    system = erp()
    system.enter("customer", client(), by="anna", native_id="1001")

    assert system.enter("customer", client("B"), by="anna").native_id == "1002"
    assert refusal(lambda: system.enter("customer", client(), by="anna", native_id="1002")).code == "number_taken"


def test_an_edit_raises_version_time_and_author_and_equal_values_do_not() -> None:
    system = erp()
    before = system.enter("customer", client(), by="anna")

    same = system.edit("customer", "1001", {"companyName": "Acme GmbH", "city": ""}, by="hub")
    after = system.edit("customer", "1001", {"city": "Bonn"}, by="hub")

    assert same == before
    assert (after.version, after.changed_by, after.fields["city"]) == (2, "hub", "Bonn")


def test_a_reference_has_to_exist_and_to_be_in_use() -> None:
    system = erp()
    system.enter("customer", client(), by="anna")
    system.deactivate("customer", "1001", by="anna")

    unknown = refusal(lambda: system.enter("project", {"projectName": "P", "customer": "9"}, by="hub"))
    inactive = refusal(lambda: system.enter("project", {"projectName": "P", "customer": "1001"}, by="hub"))

    assert (unknown.status, codes(unknown)) == (422, {"customer": "unknown_reference"})
    assert codes(inactive) == {"customer": "inactive_reference"}


def test_a_parent_below_its_child_is_refused() -> None:
    system = erp()
    top = system.enter("customer", client("Top"), by="anna").native_id
    middle = system.enter("customer", client("Middle", parent=top), by="anna").native_id
    low = system.enter("customer", client("Low", parent=middle), by="anna").native_id

    refused = refusal(lambda: system.edit("customer", top, {"parent": low}, by="hub"))

    assert codes(refused) == {"parent": "circular_reference"}


def test_the_currency_stays_once_there_is_a_project() -> None:
    system = erp()
    system.enter("customer", client(), by="anna")
    system.edit("customer", "1001", {"currency": "USD"}, by="anna")
    system.enter("project", {"projectName": "P", "customer": "1001"}, by="anna")

    refused = refusal(lambda: system.edit("customer", "1001", {"currency": "EUR"}, by="hub"))

    assert codes(refused) == {"currency": "fixed_in_use"}


def test_a_legal_entity_is_part_of_the_key() -> None:
    system = erp("usmf", "demf")
    system.enter("customer", client("A"), by="anna", scope="usmf", native_id="C1")
    system.enter("customer", client("B"), by="anna", scope="demf", native_id="C1")

    assert system.record("customer", "C1", "demf").fields["companyName"] == "B"
    assert refusal(lambda: system.record("customer", "C1")).status == 300
    assert codes(refusal(lambda: system.enter("customer", client(), by="anna"))) == {"scope": "unknown_value"}
    other = {"projectName": "P", "customer": "C2"}
    system.enter("customer", client("C"), by="anna", scope="usmf", native_id="C2")
    foreign = refusal(lambda: system.enter("project", other, by="anna", scope="demf"))
    assert codes(foreign) == {"customer": "unknown_reference"}


def test_the_same_external_id_may_stand_in_two_legal_entities() -> None:
    system = erp("usmf", "demf")

    first = system.enter("customer", client(), by="hub", scope="usmf", external_id="cus_1")
    second = system.enter("customer", client(), by="hub", scope="demf", external_id="cus_1")

    assert first.key != second.key
    assert len(system.records.with_external_id("customer", "cus_1")) == 2


def test_creating_with_a_known_external_id_gives_the_record_that_has_it_as_it_is() -> None:
    system = erp()
    first = system.enter("customer", client("A"), by="anna", external_id="cus_1")

    outcome = system.records.create(Draft("customer", client("B"), external_id="cus_1"), by="hub")

    assert (outcome.effect, outcome.record) == ("known", first)


def test_an_external_id_is_unique_in_the_erp_and_may_repeat_in_the_crm() -> None:
    books, sales = erp(), crm()
    for name in ("A", "B"):
        books.enter("customer", client(name), by="anna", external_id=f"cus_{name}")
        sales.enter("Account", {"Name": name}, by="anna", external_id=f"cus_{name}")
    second = sales.records.all("Account")[1].native_id
    sales.edit("Account", second, {}, by="anna", external_id="cus_A")

    taken = refusal(lambda: books.edit("customer", "1002", {}, by="hub", external_id="cus_A"))
    several = refusal(lambda: sales.records.create(Draft("Account", {"Name": "A"}, external_id="cus_A"), by="hub"))

    assert (taken.status, taken.code, taken.facts) == (409, "external_id_taken", {"matches": ["1001"]})
    assert (several.status, len(several.facts["matches"])) == (300, 2)


def test_the_duplicate_rule_refuses_where_it_is_switched_on() -> None:
    system = erp()
    system.enter("customer", client("A", vatRegNumber="DE1"), by="anna")
    system.enter("customer", client("B", vatRegNumber="DE1"), by="anna")
    system.records.has_duplicate_rule = True

    refused = refusal(lambda: system.enter("customer", client("C", vatRegNumber="de1"), by="hub"))

    assert (refused.status, refused.code, refused.facts) == (409, "duplicate", {"matches": ["1001", "1002"]})
    system.enter("customer", client("D"), by="hub")
    system.enter("customer", client("E"), by="hub")  # no number is not the same number


def test_an_inactive_record_is_no_duplicate() -> None:
    system = erp()
    system.enter("customer", client("A", vatRegNumber="DE1"), by="anna")
    system.records.has_duplicate_rule = True
    system.deactivate("customer", "1001", by="anna")

    assert system.enter("customer", client("C", vatRegNumber="DE1"), by="hub").is_active


def test_what_was_deactivated_comes_back_when_its_flag_is_cleared() -> None:
    system = erp()
    system.enter("customer", client(), by="anna")

    gone = system.deactivate("customer", "1001", by="hub")
    back = system.edit("customer", "1001", {"isInactive": False}, by="hub")

    assert (gone.is_active, back.is_active) == (False, True)


def test_the_erp_cannot_merge() -> None:
    system = erp()
    system.enter("customer", client("A"), by="anna")
    system.enter("customer", client("B"), by="anna")

    refused = refusal(lambda: system.records.merge(Edit("customer", "1001"), "1002", by="hub"))

    assert (refused.status, refused.code) == (409, "cannot_merge")
    assert [record.is_active for record in system.records.all("customer")] == [True, True]


def test_a_merge_in_the_crm_leaves_a_pointer_and_takes_the_children_along() -> None:
    system = crm()
    loser, survivor = (system.enter("Account", {"Name": name}, by="anna").native_id for name in ("A", "B"))
    deal = system.enter("Contract", {"AccountId": loser}, by="anna")
    below = system.enter("Account", {"Name": "C", "ParentId": loser}, by="anna")

    outcome = system.records.merge(Edit("Account", loser), survivor, by="hub")
    again = system.records.merge(Edit("Account", loser), survivor, by="hub")

    gone = system.record("Account", loser)
    assert (outcome.effect, again.effect) == ("merged", "unchanged")
    assert (gone.merged_into, gone.is_active, gone.fields["Name"]) == (survivor, False, "A")
    moved = system.record("Contract", deal.native_id)
    assert (moved.fields["AccountId"], moved.changed_by, moved.version) == (survivor, "hub", 2)
    assert system.record("Account", below.native_id).fields["ParentId"] == survivor


def test_what_was_merged_away_takes_no_more_writes_and_names_its_survivor() -> None:
    system = crm()
    loser, survivor = (system.enter("Account", {"Name": name}, by="anna").native_id for name in ("A", "B"))
    system.merge("Account", loser, into=survivor, by="anna")

    refused = refusal(lambda: system.edit("Account", loser, {"Phone": "1"}, by="hub"))

    assert (refused.status, refused.code, refused.facts) == (404, "merged_away", {"merged_into": survivor})


def test_a_record_is_not_merged_into_itself_and_what_it_was_below_is_cut() -> None:
    system = crm()
    loser = system.enter("Account", {"Name": "A"}, by="anna").native_id
    survivor = system.enter("Account", {"Name": "B", "ParentId": loser}, by="anna").native_id

    assert refusal(lambda: system.merge("Account", loser, into=loser, by="anna")).code == "cannot_merge"
    assert "ParentId" not in system.merge("Account", loser, into=survivor, by="anna").fields


def test_people_merge_by_hand_where_the_api_cannot_and_nothing_points_back() -> None:
    system = erp()
    system.enter("customer", client("A", city="Bonn"), by="anna")
    system.enter("customer", client("B", phone="1"), by="anna")
    project = system.enter("project", {"projectName": "P", "customer": "1001"}, by="anna").native_id

    survivor = system.merge("customer", "1001", into="1002", by="anna")

    assert survivor.fields == {"companyName": "B", "currency": "EUR", "city": "Bonn", "phone": "1"}
    assert system.record("project", project).fields["customer"] == "1002"
    assert refusal(lambda: system.record("customer", "1001")).code == "unknown_record"


def test_a_version_that_has_moved_on_is_refused() -> None:
    system = erp()
    system.enter("customer", client(), by="anna")
    system.edit("customer", "1001", {"city": "Bonn"}, by="anna")

    refused = refusal(lambda: system.records.change(Edit("customer", "1001", {"city": "Ulm"}, version=1), by="hub"))

    assert refused.status == 412
    assert system.record("customer", "1001").fields["city"] == "Bonn"


def test_pages_show_every_record_once_in_the_order_of_its_last_change() -> None:
    system = erp()
    for name in "ABCDE":
        system.enter("customer", client(name), by="anna")
    system.edit("customer", "1002", {"city": "Bonn"}, by="anna")
    system.delete("customer", "1004")

    first = system.records.page("customer", after=0, limit=3)
    second = system.records.page("customer", after=first.cursor, limit=3)
    third = system.records.page("customer", after=second.cursor, limit=3)

    assert [record.native_id for record in first.records] == ["1001", "1003", "1005"]
    assert [record.native_id for record in second.records] == ["1002"]
    assert (first.is_last, second.is_last, third.is_last) == (False, True, True)
    assert (list(third.records), third.cursor) == ([], second.cursor)


def test_a_full_page_at_the_end_is_the_last() -> None:
    system = erp()
    for name in "AB":
        system.enter("customer", client(name), by="anna")

    assert system.records.page("customer", after=0, limit=2).is_last


def test_outdated_changes_are_swept_and_no_record_is_lost() -> None:
    system = erp()
    for name in "ABC":
        system.enter("customer", client(name), by="anna")
    for number in range(2 * CHANGES_MIN):
        system.edit("customer", "1002", {"phone": str(number)}, by="anna")

    assert len(system.records._changes["customer"][0]) <= CHANGES_MIN
    assert [record.native_id for record in system.records.all("customer")] == ["1001", "1003", "1002"]


def test_an_object_that_there_is_not_is_refused() -> None:
    with pytest.raises(Refused, match="no object invoice"):
        erp().enter("invoice", {}, by="anna")
