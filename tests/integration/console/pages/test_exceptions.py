"""Exceptions are mended in place, tried, delivered again and dismissed, each and in groups, within one's limits."""

import re

import pytest

from mdm.db.transaction import reading, run
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter, ExceptionState
from mdm.sources.model import DeliveryException
from tests.hubs import delivery, golden_by_key, row_marks
from tests.integration.console.pages.conftest import SignIn

pytestmark = pytest.mark.db

EVIL = '"><script>alert(1)</script>\u202egpj'


@pytest.fixture
def faulty(hub: Hub) -> Hub:
    """Give a hub with a gizmo without a name in each of two systems, and a customer without one."""
    deliver(
        hub,
        [
            delivery("crm-east/Gizmo:1", "gizmo", grade="a", colour=EVIL, size=12, parts=["x", "y"]),
            delivery("crm-west/Gizmo:2", "gizmo", grade="a"),
            delivery("crm-east/account:3", "customer", country="GB"),
        ],
        who="test",
    )
    return hub


def the(hub: Hub, key: str) -> DeliveryException:
    """Give the exception of a key, whatever became of it."""
    states: tuple[ExceptionState, ...] = ("open", "replayed", "dismissed")
    with reading(hub.engine) as connection:
        listed = [
            one
            for state in states
            for one in exceptions.listed_by(connection, ExceptionFilter(state=state))
            if one.source_key == key
        ]
    (found,) = listed
    return found


def test_a_fault_of_no_attribute_is_told_in_words(hub: Hub, sign_in: SignIn) -> None:
    deliver(hub, [delivery("crm-east/Gadget:9", "gadget", name="x")], who="test")

    page = sign_in("mara", "lead").page("/exceptions")

    assert "Entity type" in page
    assert not re.search(r">[^<]*entity_type[^<]*<", page)


def test_the_list_groups_by_reason_and_holds_to_the_limits(faulty: Hub, sign_in: SignIn) -> None:
    mara, gus = sign_in("mara", "lead"), sign_in("gus", "steward", entity_types=("gizmo",), sources=("crm-west",))

    every, some = mara.page("/exceptions"), gus.page("/exceptions")

    assert {"/exceptions/" + the(faulty, key).id for key in ("crm-east/Gizmo:1", "crm-east/account:3")} <= set(
        re.findall(r'href="([^"?]+)"', every)
    )
    assert the(faulty, "crm-west/Gizmo:2").id in some
    assert the(faulty, "crm-east/Gizmo:1").id not in some
    assert "Crm-East" not in some
    beyond = f"/exceptions/{the(faulty, 'crm-east/Gizmo:1').id}"
    assert gus.get(beyond).status_code == 404
    for act in ("try", "deliver", "dismiss"):
        assert gus.post(f"{beyond}/{act}", {"note": "no", "field.name": "cog"}).status_code == 404
    assert the(faulty, "crm-east/Gizmo:1").state == "open"
    assert "crm-east" not in gus.page("/exceptions", source="crm-east", code="name_missing").partition("<table")[2]


def test_a_viewer_is_not_let_in_and_a_form_needs_its_token(faulty: Hub, sign_in: SignIn) -> None:
    vera, mara = sign_in("vera", "viewer"), sign_in("mara", "lead")
    path = f"/exceptions/{the(faulty, 'crm-west/Gizmo:2').id}"

    assert (vera.get("/exceptions").status_code, vera.get(path).status_code) == (403, 403)
    assert vera.post(f"{path}/deliver", {"field.name": "cog"}).status_code == 403
    forged = mara.client.post(f"{path}/dismiss", data={"note": "no"}, headers={"cookie": f"mdm_session={mara.token}"})
    assert forged.status_code == 403
    assert the(faulty, "crm-west/Gizmo:2").state == "open"


def test_a_try_writes_nothing_and_delivering_again_takes_it(faulty: Hub, sign_in: SignIn) -> None:
    mara = sign_in("mara", "lead")
    path = f"/exceptions/{the(faulty, 'crm-east/Gizmo:1').id}"
    before = row_marks(faulty)

    good = mara.post(f"{path}/try", {"field.name": "cog", "field.grade": "a"}, part=True)
    bad = mara.post(f"{path}/try", {"field.grade": "best"}, part=True)
    assert row_marks(faulty) == before
    done = mara.post(f"{path}/deliver", {"field.name": "cog", "field.grade": "a"}, part=True)

    assert "It would be taken, as a new record." in good.text
    assert "It would be refused" in bad.text
    assert "the gizmo has neither name nor tag" in bad.text
    assert (done.status_code, done.headers["hx-redirect"]) == (204, path)
    assert "crm-east/Gizmo:1" in golden_by_key(faulty)
    assert "Delivered again, and taken." in mara.page(path)
    assert mara.post(f"{path}/deliver", {"field.name": "gear"}, part=True).status_code == 409


def test_only_what_was_typed_anew_changes_and_numbers_stay_numbers(faulty: Hub, sign_in: SignIn) -> None:
    mara = sign_in("mara", "lead")
    path = f"/exceptions/{the(faulty, 'crm-east/Gizmo:1').id}"
    fields: dict[str, str | list[str]] = {
        "field.colour": EVIL,
        "field.size": "13",
        "field.parts": '["x"]',
        "field.grade": "",
    }

    refused = mara.post(f"{path}/deliver", fields | {"field.parts": "[x"}, part=True)
    again = mara.post(f"{path}/deliver", fields, part=True)

    assert (refused.status_code, "is no JSON any more" in refused.text) == (422, True)
    assert again.status_code == 200
    assert "It would be refused" in again.text
    assert the(faulty, "crm-east/Gizmo:1").fields == {"colour": EVIL, "size": 13, "parts": ["x"]}


def test_hostile_values_stand_in_fields_as_text(faulty: Hub, sign_in: SignIn) -> None:
    page = sign_in("mara", "lead").page(f"/exceptions/{the(faulty, 'crm-east/Gizmo:1').id}")

    assert "<script>alert" not in page
    assert "⟨RLO⟩" in page


def test_a_dismissal_needs_a_reason_and_keeps_it(faulty: Hub, sign_in: SignIn) -> None:
    mara = sign_in("mara", "lead")
    path = f"/exceptions/{the(faulty, 'crm-west/Gizmo:2').id}"

    assert mara.post(f"{path}/dismiss", {"note": "  "}).status_code == 422
    assert mara.post(f"{path}/dismiss", {"note": "x" * 1_001}).status_code == 422
    assert mara.post(f"{path}/dismiss", {"note": "a test record <b>"}).status_code == 303

    closed = the(faulty, "crm-west/Gizmo:2")
    assert (closed.state, closed.note, closed.closed_by) == ("dismissed", "a test record <b>", "mara")
    assert "a test record &lt;b&gt;" in mara.page(path)
    assert "a test record &lt;b&gt;" in mara.page("/exceptions", state="dismissed")


def test_a_group_is_worked_off_in_pieces_that_go_on_where_the_last_one_ended(hub: Hub, sign_in: SignIn) -> None:
    deliver(hub, [delivery(f"crm-east/Gizmo:{n}", "gizmo", grade="a") for n in range(25)], who="test")
    deliver(hub, [delivery("crm-west/Gizmo:99", "gizmo", grade="a")], who="test")
    last = the(hub, "crm-east/Gizmo:24").id
    run(hub.engine, lambda connection: exceptions.mend(connection, hub.declared, last, {"name": "cog"}))
    gus = sign_in("gus", "steward", sources=("crm-east",))
    group: dict[str, str | list[str]] = {"action": "deliver", "code": "name_missing", "entity_type": "gizmo"}

    first = gus.post("/exceptions:group", group, part=True).text
    hidden = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', first))
    second = gus.post("/exceptions:group", dict(hidden), part=True).text

    assert "20 of 25" in first
    assert 'hx-trigger="load"' in first
    assert "25 deliveries were looked at." in second
    assert 'hx-trigger="load"' not in second
    assert "1 was taken." in second
    assert "24 are refused as before" in second
    assert gus.post("/exceptions:group", {"action": "dismiss", "code": "name_missing"}, part=True).status_code == 422
    assert gus.post("/exceptions:group", {"action": "erase"}, part=True).status_code == 422
    gone = gus.post("/exceptions:group", {"action": "dismiss", "code": "name_missing", "note": "tests"}, part=True)
    assert "20 of 24" in gone.text
    assert the(hub, "crm-west/Gizmo:99").state == "open"
