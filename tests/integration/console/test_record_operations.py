"""Operations from the page of a record: a preview that changes nothing, then the act, refused when things moved."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.stewardship.model import By, Confirm, Merge
from mdm.stewardship.operations import perform
from tests.hubs import delivery, golden_by_key, hub_state, partition_of
from tests.integration.console.conftest import SignIn, Visitor
from tests.record_firm import BRIGHTWATER, CE, HALDEN, NS, PROJECT, SF, brightwater, deliver_all


@pytest.fixture
def hub(engine: Engine) -> Hub:
    return brightwater(engine)


def send(visitor: Visitor, path: str, **fields: Any) -> Any:
    """Send a form as the page would."""
    return visitor.post(path, fields)


def versions_in(page: Any) -> dict[str, str]:
    """Read the versions that a preview hands on."""
    return dict(re.findall(r'name="(version:[^"]+)" value="(\d+)"', page.text))


def test_a_preview_tells_ids_values_children_and_targets_and_changes_nothing(sign_in: SignIn, hub: Hub) -> None:
    golden, before = golden_by_key(hub), hub_state(hub)
    visitor = sign_in("mara", "lead")

    page = visitor.get(f"/records/{golden[HALDEN]}/do/merge?with={golden[SF]}&survivor={golden[HALDEN]}")

    assert f'<code class="mono">{golden[HALDEN]}</code>' in page.text
    assert "From then on its number leads to" in page.text
    assert "3 source records change their place" in page.text
    assert "Harbour migration" in page.text  # the project follows its client
    assert "No system is told anything" in page.text  # the hub of this test has no target
    assert versions_in(page).keys() == {f"version:{golden[key]}" for key in (HALDEN, SF, PROJECT)}
    assert hub_state(hub) == before


def test_a_merge_is_done_as_previewed_and_undone_at_once(sign_in: SignIn, hub: Hub) -> None:
    golden, parted = golden_by_key(hub), partition_of(hub)
    visitor = sign_in("mara", "lead")
    preview = visitor.get(f"/records/{golden[SF]}/do/merge?with={golden[HALDEN]}")

    fields = {"with": golden[HALDEN], "reason": "one firm", **versions_in(preview)}
    done = send(visitor, f"/records/{golden[SF]}/do/merge", **fields)

    assert done.status_code == 303
    assert frozenset({SF, NS, CE, HALDEN}) in partition_of(hub)
    page = visitor.get(done.headers["location"]).text
    event_id = re.search(r"/undo/(\w+)\">\s*<input type=\"hidden\" name=\"csrf\"", page)
    assert event_id is not None, "the message offers to undo it"

    undone = send(visitor, f"/records/{golden[SF]}/undo/{event_id[1]}", how="undo", reason="undone at once")

    assert undone.status_code == 303
    assert partition_of(hub) == parted
    assert golden_by_key(hub) == golden


def test_an_act_on_what_moved_is_refused_with_the_new_preview(sign_in: SignIn, hub: Hub) -> None:
    golden, parted = golden_by_key(hub), partition_of(hub)
    visitor = sign_in("mara", "lead")
    preview = visitor.get(f"/records/{golden[SF]}/do/merge?with={golden[HALDEN]}")
    deliver_all(hub, delivery(HALDEN, "customer", at=9, name="Halden Roe Partners LLP", city="Hull", country="GB"))

    fields = {"with": golden[HALDEN], "reason": "one firm", **versions_in(preview)}
    refused = send(visitor, f"/records/{golden[SF]}/do/merge", **fields)

    assert refused.status_code == 412
    assert "Something changed since you looked" in refused.text
    assert "one firm" in refused.text  # what was typed is not lost
    assert versions_in(refused) != versions_in(preview)
    assert partition_of(hub) == parted


def test_a_merge_that_a_decision_forbids_shows_the_proof(sign_in: SignIn, hub: Hub) -> None:
    golden = golden_by_key(hub)
    visitor = sign_in("mara", "lead")
    fields = {f"part:{SF}": "1", f"part:{CE}": "1", f"part:{NS}": "2", "reason": "two firms"}
    assert send(visitor, f"/records/{golden[SF]}/do/split", **fields).status_code == 303
    now = golden_by_key(hub)
    assert now[SF] == now[CE] != now[NS]

    page = visitor.get(f"/records/{now[SF]}/do/move?key={NS}&with={now[SF]}")

    assert page.status_code == 200
    text = visitor.get(f"/records/{now[SF]}/why?with={now[NS]}").text
    assert "kept apart by a decision of mara" in text
    assert "two firms" in text


def test_one_record_taken_out_stays_out(sign_in: SignIn, hub: Hub) -> None:
    golden = golden_by_key(hub)
    visitor = sign_in("mara", "lead")

    answer = send(visitor, f"/records/{golden[SF]}/do/take-out", key=NS, reason="another firm")

    assert answer.status_code == 303
    deliver_all(hub, delivery(NS, "customer", at=8, **BRIGHTWATER))
    assert frozenset({SF, CE}) in partition_of(hub)


@pytest.mark.parametrize(("act", "key"), [("take-out", HALDEN), ("take-out", PROJECT), ("move", PROJECT)])
def test_a_record_of_another_golden_record_is_not_taken_out_of_this_one(
    sign_in: SignIn, hub: Hub, act: str, key: str
) -> None:
    """The page checks the role on the golden record of its address; the form names the record."""
    deliver_all(hub, delivery("certinia/pse__Proj__c:P-2", "project", at=3, name="Pier survey", customer="C-2"))
    golden, before = golden_by_key(hub), hub_state(hub)
    visitor = sign_in("mara", "lead", entity_types=("customer",))

    refused = send(
        visitor,
        f"/records/{golden[SF]}/do/{act}",
        key=key,
        reason="elsewhere",
        **{"with": golden["certinia/pse__Proj__c:P-2"]},
    )

    assert refused.status_code == 422
    assert "is no member of" in refused.text
    assert hub_state(hub) == before


def test_a_form_without_a_choice_or_a_reason_is_refused(sign_in: SignIn, hub: Hub) -> None:
    golden, before = golden_by_key(hub), hub_state(hub)
    visitor = sign_in("mara", "lead")
    path = f"/records/{golden[SF]}"

    assert send(visitor, f"{path}/do/merge", reason="x").status_code == 422
    assert send(visitor, f"{path}/do/confirm", reason="  ").status_code == 422
    assert send(visitor, f"{path}/do/vanish", reason="x").status_code == 404
    assert send(visitor, f"{path}/do/split", reason="x", **{f"part:{SF}": "9"}).status_code == 422
    assert visitor.client.post(f"{path}/do/confirm", data={"reason": "x"}).status_code == 403  # no token
    assert hub_state(hub) == before


def test_undo_and_unmerge_are_offered_where_they_can_be(sign_in: SignIn, hub: Hub) -> None:
    golden_id = GoldenId(golden_by_key(hub)[HALDEN])
    done = perform(hub, Confirm(golden_id), By("ann", "seen"))
    visitor = sign_in("mara", "lead")

    page = visitor.get(f"/records/{golden_id}").text
    preview = visitor.get(f"/records/{golden_id}/undo/{done.event_id}")

    assert page.count("/undo/") == 1  # what a system delivered cannot be undone
    assert preview.status_code == 200
    assert "Undo it" in preview.text
    refused = visitor.get(f"/records/{golden_id}/undo/{done.event_id}?how=unmerge")
    assert "is no merge" in refused.text


def test_an_unmerge_from_a_record_lets_only_what_it_absorbed_return(sign_in: SignIn, hub: Hub) -> None:
    """One event of a load may merge many golden records; the page of one speaks of its own."""
    golden = golden_by_key(hub)
    keeps, goes = GoldenId(golden[SF]), GoldenId(golden[HALDEN])
    done = perform(hub, Merge(keeps, goes, keeps), By("ann", "one firm"))
    visitor = sign_in("mara", "lead")

    page = visitor.get(f"/records/{keeps}").text
    preview = visitor.get(f"/records/{keeps}/undo/{done.event_id}?how=unmerge&returning={goes}").text

    assert f"/undo/{done.event_id}?how=unmerge&amp;returning={goes}" in page
    assert f'name="returning" value="{goes}"' in preview
    assert "Halden Roe Partners LLP" in preview


def test_a_value_is_picked_kept_and_cleared(sign_in: SignIn, hub: Hub) -> None:
    golden_id = golden_by_key(hub)[SF]
    visitor = sign_in("mara", "lead")
    path = f"/records/{golden_id}/values/legal_name"
    preview = visitor.client.get(path, params={"choice": f"from:{NS}"})
    version = dict(re.findall(r'name="(version)" value="(\d+)"', preview.text))

    kept = send(visitor, path, choice=f"from:{NS}", term="until_source_changes", reason="as registered", **version)
    page = visitor.get(f"/records/{golden_id}").text
    stale = send(visitor, path, choice="typed", typed="Else Ltd", reason="late", **version)

    assert kept.status_code == 303
    assert "<h1><bdi>BRIGHTWATER CONSULTING LIMITED" in page
    assert "Chosen by mara" in page
    assert "until the source changes" in page
    assert stale.status_code == 412
    assert "Something changed since you looked" in stale.text

    version = dict(re.findall(r'name="(version)" value="(\d+)"', visitor.get(f"{path}?choice=clear").text))
    assert send(visitor, path, choice="clear", **version).status_code == 303
    assert "<h1><bdi>Brightwater Consulting Ltd" in visitor.get(f"/records/{golden_id}").text


def test_a_value_that_cannot_be_read_is_refused_in_words(sign_in: SignIn, hub: Hub) -> None:
    golden = golden_by_key(hub)
    visitor = sign_in("mara", "lead")

    refused = visitor.get(f"/records/{golden[SF]}/values/country?choice=typed&typed=Atlantis")

    assert refused.status_code == 200
    assert "cannot be taken" in refused.text
    assert visitor.get(f"/records/{golden[PROJECT]}/values/customer").status_code == 200
    assert visitor.get(f"/records/{golden[SF]}/values/nothing").status_code == 404
