"""The whole misbehaviour matrix over real sockets: each fault is exactly one kind of failure, and never a twin."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mdm.connectors.model import CallFailed, Failure, Receipt
from mdm.connectors.record_api import RecordApi
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import ANSWER_TWICE, DONE_THEN_DROP, DROP, HANG, MISBEHAVIOUR, Aim
from mdm.demo.fakes.wire import running
from tests.integration.connectors.systems import (
    NO_DRIPPING,
    NO_SILENCE,
    new_client,
    one,
    spoken_to,
    system,
    until_done,
    update,
)

# fault -> kind of a create, of an update, of a read; "" where it is done all the same
MATRIX = {
    "throttled": ("throttled", "throttled", "throttled"),
    "throttled_for_7_s": ("throttled", "throttled", "throttled"),
    "failing": ("unavailable", "unavailable", "unavailable"),
    "failing_done": ("unavailable", "unavailable", "unavailable"),
    "overloaded": ("unavailable", "unavailable", "unavailable"),
    "hang": ("unclear", "unclear", "unavailable"),
    "hang_done": ("unclear", "unclear", "unavailable"),
    "slow_body": ("unclear", "unclear", "unavailable"),
    "drop": ("unclear", "unclear", "unavailable"),
    "done_then_drop": ("unclear", "unclear", "unavailable"),
    "half_an_answer": ("unclear", "unclear", "unavailable"),
    "answer_twice": ("", "", ""),
    "wrong_id": ("unclear", "unclear", "unavailable"),
    "misrouted": ("unclear", "unclear", "unavailable"),
    "schema_error": ("refused", "refused", "refused"),
    "redirect": ("moved", "moved", "moved"),
    "gone": ("gone", "gone", "gone"),
    "long_page": ("unavailable", "unavailable", "unavailable"),
    "long_page_done": ("unavailable", "unavailable", "unavailable"),
}


@pytest.fixture(scope="module")
def patient() -> Iterator[tuple[Fake, RecordApi]]:
    with system(ERP) as pair:
        yield pair


@pytest.fixture
def fake(patient: tuple[Fake, RecordApi]) -> Iterator[Fake]:
    """Give a fake in which there is one customer, and none of the tests before."""
    fake = patient[0]
    for record in fake.records.all("customer"):
        fake.delete("customer", record.native_id)
    fake.enter("customer", {"companyName": "Acme", "currency": "EUR"}, by="anna", native_id="7")
    fake.journal.clear()
    yield fake
    fake.faults.clear()


@pytest.fixture
def connector(patient: tuple[Fake, RecordApi]) -> RecordApi:
    return patient[1]


@pytest.fixture
def meeting(fake: Fake, request: pytest.FixtureRequest, connector: RecordApi) -> Iterator[RecordApi]:
    """Give a connector whose patience with one fault is short."""
    name = request.node.callspec.params["name"]
    timeouts = {"hang": NO_SILENCE, "hang_done": NO_SILENCE, "slow_body": NO_DRIPPING}.get(name)
    if timeouts is None:
        yield connector
    else:
        with spoken_to(fake, timeouts=timeouts) as hurried:
            yield hurried


def kind(outcome: Receipt | Failure) -> str:
    return outcome.kind if isinstance(outcome, Failure) else ""


def test_the_table_holds_every_fault_there_is() -> None:
    assert set(MATRIX) == set(MISBEHAVIOUR)


@pytest.mark.parametrize("name", MATRIX)
def test_a_fault_of_a_create_is_one_kind_of_failure_and_a_repeat_makes_no_twin(
    name: str, fake: Fake, meeting: RecordApi, connector: RecordApi
) -> None:
    fake.faults.plan(MISBEHAVIOUR[name], Aim(method="POST"), times=1)
    create = new_client(f"create-{name}", f"cus_{name}")

    outcome = one(meeting, create)
    repeated = one(connector, create)

    assert kind(outcome) == MATRIX[name][0]
    assert isinstance(repeated, Receipt)
    assert [record.native_id for record in fake.records.all("customer")] == ["7", repeated.native_id]
    assert [entry.fault for entry in fake.journal.entries() if entry.fault] == [name]


@pytest.mark.parametrize("name", MATRIX)
def test_a_fault_of_an_update_is_one_kind_of_failure_and_a_repeat_changes_once(
    name: str, fake: Fake, meeting: RecordApi, connector: RecordApi
) -> None:
    fake.faults.plan(MISBEHAVIOUR[name], Aim(method="PATCH"), times=1)
    change = update(f"update-{name}", "7", city="Bonn")

    outcome = one(meeting, change)
    repeated = one(connector, change)

    assert kind(outcome) == MATRIX[name][1]
    assert isinstance(repeated, Receipt)
    assert [(entry.changed, entry.by) for entry in fake.journal.writes("customer")] == [({"city": "Bonn"}, "hub")]


@pytest.mark.parametrize("name", MATRIX)
def test_a_fault_of_a_read_is_raised_and_never_unclear(
    name: str, fake: Fake, meeting: RecordApi, connector: RecordApi
) -> None:
    fake.faults.plan(MISBEHAVIOUR[name], times=1)

    if expected := MATRIX[name][2]:
        with pytest.raises(CallFailed) as failed:
            meeting.read("customer", ["7"])
        assert failed.value.failure.kind == expected

    assert connector.read("customer", ["7"])["7"].fields["companyName"] == "Acme"


@pytest.mark.parametrize("name", [name for name in MATRIX if name not in {"answer_twice", "wrong_id", "slow_body"}])
def test_a_fault_of_a_page_is_raised_and_the_page_is_whole_the_next_time(
    name: str, fake: Fake, meeting: RecordApi, connector: RecordApi
) -> None:
    fake.faults.plan(MISBEHAVIOUR[name], times=1)

    with pytest.raises(CallFailed) as failed:
        meeting.changed("customer", after="", limit=10)
    page = connector.changed("customer", after="", limit=10)

    assert failed.value.failure.kind == MATRIX[name][2]
    assert [record.native_id for record in page.records] == ["7"]


@pytest.mark.parametrize(("name", "wait_s"), [("throttled", None), ("throttled_for_7_s", 7.0)])
def test_the_wait_that_a_system_asks_for_is_passed_on(
    name: str, wait_s: float | None, fake: Fake, connector: RecordApi
) -> None:
    fake.faults.script(MISBEHAVIOUR[name])

    outcome = one(connector, new_client())

    assert isinstance(outcome, Failure)
    assert outcome.retry_after_s == wait_s


def test_a_certificate_that_nobody_vouches_for_is_a_system_that_is_not_there() -> None:
    with running(Fake(ERP), has_tls=True) as fake, spoken_to(fake, url=fake.tls_url) as connector:
        outcome = one(connector, new_client())

        assert (kind(outcome), fake.journal.entries()) == ("unavailable", ())


def test_a_name_that_does_not_resolve_is_a_system_that_is_not_there() -> None:
    with running(Fake(ERP)) as fake, spoken_to(fake, url="https://erp.invalid") as connector:
        assert kind(one(connector, new_client())) == "unavailable"


def test_a_system_that_does_not_run_is_not_there() -> None:
    with running(Fake(ERP)) as fake:
        url = fake.url

    with spoken_to(fake, url=url) as connector:
        assert kind(one(connector, new_client())) == "unavailable"


@pytest.mark.parametrize("knows_repeats", [True, False])
def test_a_storm_of_faults_ends_in_one_record(knows_repeats: bool) -> None:
    """Without idempotency keys it is the external id alone that keeps the twin away."""
    storm = [name for name in MATRIX if name not in {"hang", "hang_done", "slow_body"}]
    with system(ERP) as (fake, connector):
        fake.is_idempotent = knows_repeats
        fake.faults.script(*(MISBEHAVIOUR[name] for name in storm))

        receipt, kinds = until_done(connector, new_client())

        assert len(kinds) >= 10
        assert [record.native_id for record in fake.records.all("customer")] == [receipt.native_id]
        assert len(fake.journal.writes("customer")) == 1


def test_a_hundred_clients_through_random_faults_are_a_hundred_records(seed: int) -> None:
    with system(ERP) as (fake, connector):
        fake.faults._chance.seed(seed)
        for name in MATRIX:
            if not name.startswith(("hang", "slow", "long")):
                fake.faults.plan(MISBEHAVIOUR[name], probability=0.03)

        wanted = {f"cus_{number}": new_client(f"r{number}", f"cus_{number}") for number in range(100)}
        receipts: dict[str, Receipt] = {}
        for _ in range(100):
            left = [change for external_id, change in wanted.items() if external_id not in receipts]
            outcomes = connector.write(left)
            receipts |= {
                change.external_id: outcome
                for change, outcome in zip(left, outcomes, strict=True)
                if isinstance(outcome, Receipt)
            }
            if len(receipts) == len(wanted):
                break

        held = {record.external_id: record.native_id for record in fake.records.all("customer")}
        assert {external_id: receipt.native_id for external_id, receipt in receipts.items()} == held
        assert len(fake.journal.writes("customer")) == 100


def test_a_second_answer_is_not_taken_for_that_of_the_next_request() -> None:
    """It would tell that a change was written which never arrived."""
    with system(ERP) as (fake, connector):
        fake.enter("customer", {"companyName": "Acme", "currency": "EUR"}, by="anna")
        fake.faults.script(ANSWER_TWICE, DROP)

        first = one(connector, update("r1", "1001", city="Bonn"))
        second = one(connector, update("r2", "1001", city="Ulm"))

        assert (kind(first), kind(second)) == ("", "unclear")
        assert fake.record("customer", "1001").fields["city"] == "Bonn"


def test_a_hang_holds_up_its_own_record_only() -> None:
    with system(ERP) as (fake, _), spoken_to(fake, timeouts=replace(NO_SILENCE, silence_s=1)) as connector:
        for name in "ABC":
            fake.enter("customer", {"companyName": name, "currency": "EUR"}, by="anna")
        fake.faults.plan(HANG, Aim(key="1002"))
        fake.faults.plan(DONE_THEN_DROP, Aim(key="1003"))

        outcomes = connector.write([update(f"r{number}", number, city="Bonn") for number in ("1001", "1002", "1003")])

        assert [kind(outcome) for outcome in outcomes] == ["", "unclear", "unclear"]
