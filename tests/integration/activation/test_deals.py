"""A deal on its way from closed won to ready to bill: incomplete, mended, reserved, approved, waiting, taken back."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm import clock
from mdm.activation import service
from mdm.activation import store as deals_store
from mdm.activation.model import Deal, DealFilter
from mdm.activation.recipe import BUILT_IN
from mdm.activation.reservation_model import Wanted
from mdm.activation.reservations import abandon, require_reservation, resolve_or_reserve
from mdm.activation.steps import LEASE, advance_due, do_leased
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import DealConflict, DealUnknown
from mdm.failpoints import FailpointHit, armed
from mdm.gauges import StepReading
from mdm.hub import Hub
from mdm.jobs import mending
from mdm.jobs.service import deliver
from mdm.sources.exceptions import require as require_exception
from mdm.sources.model import SourceKey
from mdm.stewardship.service import decide
from tests.deals import ACCOUNT, BILLED, ERP, bill, follow, keep, prepare, shown, standing, tell
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on

pytestmark = pytest.mark.db


@pytest.fixture
def firm(engine: Engine) -> Hub:
    return prepare(hub_on(engine))


def golden_values(hub: Hub, golden_id: str) -> dict[str, Any]:
    with hub.engine.connect() as connection:
        query = text(
            "SELECT v.values FROM golden_record g JOIN golden_version v ON v.golden_id = g.id AND v.version = g.version"
            " WHERE g.id = :id"
        )
        return dict(connection.execute(query, {"id": golden_id}).scalar_one())


def test_a_complete_deal_is_activated_approved_and_ready_to_bill(firm: Hub) -> None:
    deal = tell(firm)
    assert standing(deal) == ("sold", "going", "billing_entity", "")

    deal = follow(firm, deal)
    assert standing(deal) == ("activated", "waiting", "approval", "approval")
    keys = golden_by_key(firm)
    customer_id = keys[f"hub/reservation:{deal.ids.reservation_id}"]
    contract = golden_values(firm, keys[f"hub/deal:{deal.id}"])
    project = golden_values(firm, keys[f"hub/project:{deal.id}"])
    assert contract["customer"] == project["customer"] == customer_id == deal.ids.customer_id
    assert contract["projects"] == [keys[f"hub/project:{deal.id}"]]
    assert (contract["status"], contract["value"], contract["own_legal_entity"]) == ("in_approval", "120000", "DEMF")
    assert (project["name"], project["start_date"]) == ("ERP rollout", "2026-07-01")

    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    assert standing(deal) == ("approved", "waiting", "customer_in_erp", "key_of_customer")
    assert golden_values(firm, keys[f"hub/deal:{deal.id}"])["status"] == "active"

    bill(firm)
    deal = follow(firm, service.retry(firm, deal.id, who="mara"))
    assert standing(deal) == ("ready_to_bill", "done", None, "")
    assert list(deal.since) == ["sold", "activated", "approved", "ready_to_bill"]
    assert sorted(deal.since.values()) == list(deal.since.values())
    assert golden_by_key(firm)[f"{ERP}/customer:C1"] == customer_id
    found = run(firm.engine, lambda c: require_reservation(c, str(deal.ids.reservation_id)))
    assert (found.state, str(found.source_key)) == ("confirmed", f"{ERP}/customer:C1")
    assert [(one.step, one.turn, one.because, one.who) for one in shown(firm, deal).turns] == [
        ("validate", "done", "", "sales"),
        ("billing_entity", "done", "", "worker"),
        ("project", "done", "", "worker"),
        ("contract", "done", "", "worker"),
        ("approval", "waiting", "approval", "worker"),
        ("approval", "done", "", "mara"),
        ("customer_in_erp", "waiting", "key_of_customer", "worker"),
        ("customer_in_erp", "done", "", "worker"),
        ("project_in_erp", "done", "", "worker"),
        ("contract_in_erp", "done", "", "worker"),
    ]
    assert_sound(firm)


def test_a_deal_waits_for_the_keys_of_client_project_and_contract_one_by_one(firm: Hub) -> None:
    deal = follow(firm, tell(firm))
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    deliver(firm, [delivery(f"{ERP}/customer:C1", "customer", **BILLED)], who="erp")

    deal = follow(firm, service.retry(firm, deal.id, who="mara"))
    assert standing(deal) == ("approved", "waiting", "project_in_erp", "key_of_project")
    keep(firm, deal, "contract")  # out of order: nothing is billed before the project is there as well
    assert standing(follow(firm, service.retry(firm, deal.id, who="mara")))[2] == "project_in_erp"
    keep(firm, deal, "project")
    assert standing(follow(firm, service.retry(firm, deal.id, who="mara")))[0] == "ready_to_bill"
    assert [one.because for one in shown(firm, deal).turns if one.turn == "waiting"] == [
        "approval",
        "key_of_customer",
        "key_of_project",
    ]
    assert_sound(firm)


@pytest.mark.parametrize("kept", ["customer, project", "customer", "customer, contract"])
def test_a_deal_waits_for_nothing_that_the_system_which_bills_has_no_records_of(
    engine: Engine, tmp_path: Path, kept: str
) -> None:
    own = tmp_path / "closed_won.yaml"
    own.write_text(BUILT_IN.read_text().replace("currencies: [EUR, GBP, CHF]", f"currencies: [EUR], keeps: [{kept}]"))
    firm = prepare(hub_on(engine, recipe=own))
    deal = follow(firm, tell(firm))
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    deliver(firm, [delivery(f"{ERP}/customer:C1", "customer", **BILLED)], who="erp")

    deal = follow(firm, service.retry(firm, deal.id, who="mara"))
    for made in kept.split(", ")[1:]:
        assert deal.progress.because == f"key_of_{made}"
        keep(firm, deal, made)
        deal = follow(firm, service.retry(firm, deal.id, who="mara"))

    assert standing(deal)[0] == "ready_to_bill"


def test_a_deal_that_waits_for_its_project_is_cancelled_and_what_was_created_there_stays(firm: Hub) -> None:
    deal = follow(firm, tell(firm))
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    deliver(firm, [delivery(f"{ERP}/customer:C1", "customer", **BILLED)], who="erp")
    keep(firm, deal, "contract")
    deal = follow(firm, service.retry(firm, deal.id, who="mara"))

    deal = follow(firm, service.cancel(firm, deal.id, who="mara"))

    assert standing(deal)[:2] == ("cancelled", "cancelled")
    left = {key.partition(":")[0] for key in golden_by_key(firm)}
    assert {f"{ERP}/customer", f"{ERP}/contract", "salesforce-emea/Account"} <= left
    assert not left & {"hub/project", "hub/deal"}
    named = run(firm.engine, lambda c: service.names_of(c, service.recipe_of(firm), [deal]))
    assert named[deal.id].contract == "Acme ERP rollout 2026"
    assert_sound(firm)


def test_telling_of_it_again_changes_nothing_and_other_facts_are_refused(firm: Hub) -> None:
    deal = follow(firm, tell(firm))

    assert tell(firm).id == deal.id
    with pytest.raises(DealConflict, match="with other facts"):
        tell(firm, amount="130000")
    assert len(run(firm.engine, lambda c: service.list_deals(c, DealFilter()))) == 1


def test_an_incomplete_deal_waits_with_every_reason_and_goes_on_when_it_is_mended(firm: Hub) -> None:
    deal = tell(firm, currency="JPY", vat_number="DE136695977", account="salesforce-emea/Account:8", amount=None)

    assert standing(deal) == ("sold", "incomplete", "validate", "incomplete")
    told = {(one.field, one.code) for one in shown(firm, deal).reasons}
    assert told == {
        ("amount", "amount_missing"),
        ("currency", "currency_not_billed"),
        ("tax_ids", "tax_id_invalid"),
        ("account", "account_unknown"),
    }
    assert deal.exception_id is not None
    card = mending.exception_card(firm, deal.exception_id)
    assert {(one.attribute, one.title) for one in card.fields if one.faults} == {
        ("amount", "Amount"),
        ("currency", "Currency"),
        ("tax_ids", "Tax ids"),
        ("account", "Account in the CRM"),
    }
    mend = {"currency": "EUR", "vat number": "DE136695976", "account": ACCOUNT}
    assert not mending.try_mend(firm, deal.exception_id, mend, who="mara").is_taken  # the amount is missing still
    assert standing(follow(firm, deal))[1] == "incomplete"

    outcome = mending.mend_and_replay(firm, deal.exception_id, {**mend, "amount": "120000"}, who="mara")

    assert outcome.status == "created"
    assert standing(follow(firm, deal)) == ("activated", "waiting", "approval", "approval")
    assert run(firm.engine, lambda c: require_exception(c, deal.exception_id)).state == "replayed"  # type: ignore[arg-type]
    assert_sound(firm)


def test_telling_of_an_incomplete_deal_anew_puts_right_what_was_wrong(firm: Hub) -> None:
    deal = tell(firm, currency="JPY")

    again = tell(firm)

    assert (again.id, standing(again)[1]) == (deal.id, "going")
    assert run(firm.engine, lambda c: require_exception(c, deal.exception_id)).state == "superseded"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"legal_entity": "elsewhere"}, ("legal_entity", "legal_entity_unknown")),
        ({"vat_number": None}, ("tax_ids", "tax_id_missing")),
        ({"account": "7"}, ("account", "account_malformed")),
        ({"end_date": "2026-06-30"}, ("end_date", "ends_before_start")),
        ({"currency": "Gold"}, ("currency", "unknown_code")),
    ],
)
def test_each_fault_has_its_reason(firm: Hub, changes: dict[str, Any], reason: tuple[str, str]) -> None:
    deal = tell(firm, **changes)

    assert reason in {(one.field, one.code) for one in shown(firm, deal).reasons}
    assert all(one.remedy for one in shown(firm, deal).reasons)


def test_the_account_and_all_above_it_must_be_right(firm: Hub) -> None:
    parent, top = "salesforce-emea/Account:8", "salesforce-emea/Account:9"
    deliver(firm, [delivery(ACCOUNT, "customer", name="Kranich Reederei AG", country="DE", parent="8")], who="test")
    first = tell(firm, "salesforce-emea/Opportunity:1")
    assert [one.code for one in shown(firm, first).reasons] == ["account_parent_unknown"]

    deliver(firm, [delivery(parent, "customer", name="Kranich Holding AG", country="DE", parent="9")], who="test")
    deliver(firm, [delivery(top, "customer", name="Nordwind Investment Inc", country="US", parent="8")], who="test")
    second = tell(firm, "salesforce-emea/Opportunity:2")
    assert [one.code for one in shown(firm, second).reasons] == ["account_parents_circular"]

    deliver(firm, [delivery(top, "customer", name="Nordwind Investment Inc", country="US")], who="test")
    assert standing(tell(firm, "salesforce-emea/Opportunity:3"))[1] == "going"


def test_the_billed_entity_that_exists_is_found_and_nothing_waits_for_it(firm: Hub) -> None:
    bill(firm, "C7")

    deal = follow(firm, tell(firm))
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))

    assert standing(deal)[2] == "project_in_erp"  # the client is there
    assert deal.ids.reservation_id is None
    assert golden_by_key(firm)[f"{ERP}/customer:C7"] == deal.ids.customer_id


def test_two_deals_of_one_client_reserve_it_once(firm: Hub) -> None:
    first = follow(firm, tell(firm, "salesforce-emea/Opportunity:1"))
    second = follow(firm, tell(firm, "salesforce-emea/Opportunity:2", contract_name="Acme support 2027"))

    assert first.ids.customer_id == second.ids.customer_id
    assert (first.ids.reservation_id is None, second.ids.reservation_id is None) == (False, True)


def test_a_reservation_that_somebody_else_gave_up_is_made_anew(firm: Hub) -> None:
    fields = {"name": "Acme Logistik GmbH", "country": "DE", "vat number": "DE136695976"}
    other = resolve_or_reserve(firm, Wanted("customer", ERP, fields), who="somebody else")
    deal = follow(firm, tell(firm))
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    assert deal.ids.reservation_id is None

    abandon(firm, str(other.reservation and other.reservation.id), who="somebody else")
    deal = follow(firm, service.retry(firm, deal.id, who="mara"))

    assert standing(deal) == ("approved", "waiting", "customer_in_erp", "key_of_customer")
    assert deal.ids.reservation_id is not None
    bill(firm)
    assert standing(follow(firm, service.retry(firm, deal.id, who="mara")))[0] == "ready_to_bill"
    assert_sound(firm)


def test_a_client_who_may_be_there_waits_for_a_steward(firm: Hub) -> None:
    (there,) = deliver(
        firm, [delivery(f"{ERP}/customer:C5", "customer", name="Acme Logistics GmbH", country="DE")], who="erp"
    )

    deal = follow(firm, tell(firm))
    assert standing(deal) == ("sold", "waiting", "billing_entity", "review")

    held = run(firm.engine, lambda c: require_reservation(c, str(deal.ids.reservation_id)))
    decide(firm, SourceKey.parse(f"{ERP}/customer:C5"), held.key, Verdict("same", "seen"), who="mara")
    deal = follow(firm, service.retry(firm, deal.id, who="mara"))
    assert (standing(deal)[:3], deal.ids.customer_id) == (("activated", "waiting", "approval"), there.golden_id)
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    assert standing(deal)[2] == "project_in_erp"  # the client is there
    assert_sound(firm)


def test_cancelling_takes_back_what_was_made_the_last_first(firm: Hub) -> None:
    deal = follow(firm, tell(firm))
    before = golden_by_key(firm)
    assert {key.partition(":")[0] for key in before} == {
        "salesforce-emea/Account",
        "hub/reservation",
        "hub/project",
        "hub/deal",
    }

    deal = follow(firm, service.cancel(firm, deal.id, who="mara"))

    assert standing(deal) == ("cancelled", "cancelled", None, "cancelled")
    assert (deal.ended_by, deal.ids.reservation_id) == ("mara", None)
    assert list(golden_by_key(firm)) == [ACCOUNT]
    taken = [one.step for one in shown(firm, deal).turns if one.turn == "taken_back"]
    assert taken == ["contract", "project", "billing_entity"]
    assert tell(firm).id != deal.id  # the opportunity may be won again
    assert_sound(firm)


def test_an_incomplete_deal_is_cancelled_with_its_exception(firm: Hub) -> None:
    deal = tell(firm, currency="JPY")

    deal = follow(firm, service.cancel(firm, deal.id, who="mara"))

    assert standing(deal)[0] == "cancelled"
    assert run(firm.engine, lambda c: require_exception(c, deal.exception_id)).state == "dismissed"  # type: ignore[arg-type]


def test_what_cannot_be_done_now_is_refused_with_what_to_do(firm: Hub) -> None:
    deal = tell(firm)
    with pytest.raises(DealConflict, match="not at its approval"):
        service.approve(firm, deal.id, who="mara")
    with pytest.raises(DealConflict, match="is incomplete"):
        service.retry(firm, tell(firm, "salesforce-emea/Opportunity:8", currency="JPY").id, who="mara")
    with pytest.raises(DealUnknown):
        service.cancel(firm, "dea_none", who="mara")
    deal = follow(firm, deal)
    bill(firm)
    deal = follow(firm, service.approve(firm, deal.id, who="mara"))
    with pytest.raises(DealConflict, match="ready to bill"):
        service.cancel(firm, deal.id, who="mara")


def let_pass(hub: Hub) -> None:
    """Let every pause and lease be over."""
    with hub.engine.begin() as connection:
        connection.execute(
            text("UPDATE deal SET lease_until = NULL, next_at = :at WHERE next_at IS NOT NULL"), {"at": clock.now()}
        )


@pytest.mark.parametrize("point", ["deal.step_done", "reservation.stored", "ingest.stored", "transaction.committing"])
def test_a_step_that_crashes_is_done_once_when_it_is_tried_again(firm: Hub, point: str) -> None:
    deal = tell(firm)
    strikes = iter([True, False, True, False])

    def crash() -> None:
        if next(strikes, False):
            raise FailpointHit(point)

    with armed({point: crash}):
        for _ in range(12):
            let_pass(firm)
            try:
                advance_due(firm)
            except FailpointHit:
                continue
    deal = run(firm.engine, lambda c: service.require_deal(c, deal.id))

    assert standing(deal) == ("activated", "waiting", "approval", "approval")
    assert sorted(key.partition(":")[0] for key in golden_by_key(firm)) == [
        "hub/deal",
        "hub/project",
        "hub/reservation",
        "salesforce-emea/Account",
    ]
    assert [one.step for one in shown(firm, deal).turns if one.turn == "done"] == [
        "validate",
        "billing_entity",
        "project",
        "contract",
    ]
    assert_sound(firm)


def fail_always(hub: Hub, deal: Deal, point: str) -> Deal:
    def crash() -> None:
        raise FailpointHit(point)

    with armed({point: crash}):
        for _ in range(20):
            let_pass(hub)
            try:
                advance_due(hub)
            except FailpointHit:
                continue
            if run(hub.engine, lambda c: service.require_deal(c, deal.id)).progress.standing == "taking_back":
                break
    return run(hub.engine, lambda c: service.require_deal(c, deal.id))


def test_a_step_that_fails_for_good_is_taken_back_and_taken_up_again(firm: Hub) -> None:
    deal = follow(firm, tell(firm))
    service.approve(firm, deal.id, who="mara")

    deal = fail_always(firm, deal, "ingest.stored")  # the contract cannot be stored, eight times
    assert standing(deal) == ("activated", "taking_back", "approval", "failed")
    assert deal.progress.attempts == 8
    let_pass(firm)
    deal = follow(firm, deal)

    assert standing(deal) == ("sold", "failed", "approval", "failed")
    assert [one.step for one in shown(firm, deal).turns if one.turn == "taken_back"] == [
        "contract",
        "project",
        "billing_entity",
    ]
    assert sorted(key.partition(":")[0] for key in golden_by_key(firm)) == ["hub/deal", "salesforce-emea/Account"]

    deal = follow(firm, service.retry(firm, deal.id, who="mara"))

    assert standing(deal) == ("activated", "waiting", "approval", "approval")
    assert deal.approved_by is None  # whoever approved it approved another attempt
    assert_sound(firm)


def test_of_two_who_hold_a_deal_only_the_later_does_its_step(firm: Hub) -> None:
    deal = tell(firm)
    at = clock.now()
    leased = run(firm.engine, lambda c: deals_store.lease(c, at=at, until=at + LEASE, deal_id=deal.id))
    assert leased is not None
    assert advance_due(firm) == 0  # it is leased
    let_pass(firm)
    advance_due(firm, who="second")
    do_leased(firm, leased, who="first")  # its lease ran out meanwhile

    deal = run(firm.engine, lambda c: service.require_deal(c, deal.id))
    assert standing(deal) == ("activated", "waiting", "approval", "approval")
    assert {one.who for one in shown(firm, deal).turns} == {"sales", "second"}


def test_deals_are_counted_by_state_with_the_oldest(firm: Hub) -> None:
    follow(firm, tell(firm))
    tell(firm, "salesforce-emea/Opportunity:8", currency="JPY")

    counts = run(firm.engine, service.count_deals)

    assert [(one.state, one.count, one.held_up) for one in counts] == [
        ("sold", 1, 1),
        ("activated", 1, 0),
        ("approved", 0, 0),
        ("ready_to_bill", 0, 0),
    ]
    assert counts[0].oldest_at is not None
    assert counts[2].oldest_at is None
    assert [
        one.progress.state for one in run(firm.engine, lambda c: service.list_deals(c, DealFilter(is_held_up=True)))
    ] == ["sold"]


def test_a_scrape_is_told_at_which_step_deals_stand_and_in_which_way(firm: Hub) -> None:
    follow(firm, tell(firm))
    tell(firm, "salesforce-emea/Opportunity:8", currency="JPY")
    recipe = service.recipe_of(firm)

    states, steps = run(firm.engine, lambda c: service.readings_of_deals(c, recipe))

    assert [(one.state, one.on_their_way, one.held_up, one.late) for one in states] == [
        ("sold", 0, 1, 0),
        ("activated", 1, 0, 0),
        ("approved", 0, 0, 0),
        ("ready_to_bill", 0, 0, 0),
    ]
    assert steps == (
        StepReading("activated", "approval", "waiting", 1),
        StepReading("sold", "validate", "incomplete", 1),
    )
    without, _ = run(firm.engine, lambda c: service.readings_of_deals(c, None))
    assert {one.late for one in without} == {None}
