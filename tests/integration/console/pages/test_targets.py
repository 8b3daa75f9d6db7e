"""The pages of targets: who sees which, what is refused, and what records' own words cannot do there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from mdm.db.transaction import run
from mdm.db.types import as_json
from mdm.delivery.lanes import note_unopened
from mdm.delivery.targets import require_declaration
from mdm.errors import LeaseLost
from mdm.hub import Hub
from mdm.reconciliation import backfills
from mdm.reconciliation import service as reports
from mdm.reconciliation.model import Aim, Progress, Report, ReportState, Tally
from tests.boards import HOSTILE, board
from tests.hubs import hub_on
from tests.integration.console.conftest import SignIn

pytestmark = pytest.mark.db


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> Hub:
    opened = hub_on(engine)
    board(opened, tmp_path)
    return opened


def waiting(hub: Hub, target: str) -> int:
    statement = text("SELECT count(*) FROM delivery_lane WHERE target_id = :target AND acknowledged < head")
    with hub.engine.connect() as connection:
        return int(connection.execute(statement, {"target": target}).scalar_one())


def test_a_viewer_looks_a_steward_orders_and_a_lead_steers(hub: Hub, sign_in: SignIn) -> None:
    viewer, steward, lead = sign_in("vera", "viewer"), sign_in("sam", "steward"), sign_in("mara", "lead")

    pages = [each.get("/targets/books").text for each in (viewer, steward, lead)]

    assert ["Tell again" in page for page in pages] == [False, True, True]
    assert ["Pause" in page for page in pages] == [False, False, True]
    assert viewer.post("/targets/books/order", {"kind": "skip", "reason": "x"}).status_code == 403
    assert steward.post("/targets/books/stand", {"act": "pause", "reason": "x"}).status_code == 403
    assert waiting(hub, "books") == 2


def test_whoever_may_not_see_all_that_a_target_is_told_of_does_not_see_it(hub: Hub, sign_in: SignIn) -> None:
    limited = sign_in("pia", "lead", entity_types=("project",))

    assert "The books" not in limited.get("/targets").text
    assert limited.get("/targets/books").status_code == 404
    assert limited.post("/targets/books/stand", {"act": "pause", "reason": "x"}).status_code == 404
    assert limited.post("/targets/books/order", {"kind": "skip", "reason": "x"}).status_code == 404


def test_a_target_that_cannot_be_opened_fails_with_the_reason(hub: Hub, sign_in: SignIn) -> None:
    lead = sign_in("mara", "lead")
    assert "cannot be opened" not in lead.get("/targets/books").text  # the list of all is kept for some seconds
    declaration = run(hub.engine, lambda c: require_declaration(c, "books"))
    reason = f"it cannot be opened: {HOSTILE}"

    run(hub.engine, lambda c: note_unopened(c, declaration, reason))

    for page in (lead.get("/targets").text, lead.get("/targets/books").text):
        assert "It cannot be opened: " in page
        assert "<img" not in page
    assert "Does not answer" in lead.get("/targets/books").text


def test_what_cannot_be_done_is_refused_with_words(hub: Hub, sign_in: SignIn) -> None:
    lead = sign_in("mara", "lead")
    refused = [
        ("/targets/books/order", {"kind": "skip", "what": "dead", "reason": " "}),
        ("/targets/books/order", {"kind": "skip", "what": "range", "since": "2026-01-01", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "range", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "failing", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "record", "reason": "x"}),
        ("/targets/books/order", {"kind": "forget", "reason": "x"}),
        ("/targets/books/stand", {"act": "pause", "reason": ""}),
        ("/targets/books/stand", {"act": "explode", "reason": "x"}),
        ("/targets/plans/stand", {"act": "resume", "reason": "not matched yet"}),
        ("/targets/share/stand", {"act": "pause", "reason": "files are not told"}),
    ]

    assert [lead.post(path, form).status_code for path, form in refused] == [422] * len(refused)
    assert waiting(hub, "books") == 2


def test_a_target_that_waits_for_its_backfill_is_paused_from_then_on(hub: Hub, sign_in: SignIn) -> None:
    lead = sign_in("mara", "lead")
    assert "what waits is told, then it is paused" in lead.get("/targets/plans").text

    lead.post("/targets/plans/stand", {"act": "pause", "reason": HOSTILE})

    page = lead.get("/targets/plans").text
    assert "Once its records are matched, it is paused:" in page
    assert "<img" not in page
    assert "what waits is told, then it is paused" not in page
    lead.post("/targets/plans/stand", {"act": "resume", "reason": "it is back"})
    assert "it is paused:" not in lead.get("/targets/plans").text


def test_failures_of_other_systems_are_shown_as_text(hub: Hub, sign_in: SignIn) -> None:
    page = sign_in("mara", "lead").get("/targets/books").text

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "\u202e" not in page


def test_a_folder_of_files_and_an_unknown_cursor_have_pages_too(hub: Hub, sign_in: SignIn) -> None:
    visitor = sign_in("mara", "lead")

    assert "A folder of files" in visitor.get("/targets/share").text
    assert visitor.get("/targets/books?before=yesterday&done=replay-x").status_code == 200
    assert visitor.get("/targets/nobody").status_code == 404


def test_a_preview_reaches_what_the_order_then_does(hub: Hub, sign_in: SignIn) -> None:
    steward = sign_in("sam", "steward")

    assert "2 golden records" in steward.get("/targets/books/order?kind=skip&what=dead").text
    done = steward.post("/targets/books/order", {"kind": "skip", "what": "dead", "reason": "tests"})

    assert done.headers["location"] == "/targets/books?done=skip-2"
    assert "2 golden records were left out." in steward.get(done.headers["location"]).text
    assert waiting(hub, "books") == 0


def keep_drift(hub: Hub, state: ReportState, tally: Tally) -> None:
    """Keep a comparison of the books as the worker would."""

    def act(connection: Connection) -> None:
        declaration = reports.require_records(connection, "books")
        reports.keep(connection, reports.begin(connection, declaration, "drift", who="worker"), state, tally)

    run(hub.engine, act)


def test_the_last_comparison_is_shown_by_kind_with_its_records_and_what_mends_it(hub: Hub, sign_in: SignIn) -> None:
    visitor = sign_in("vera", "viewer")
    with hub.engine.connect() as connection:
        golden_id = connection.execute(text("SELECT golden_id FROM delivery_lane WHERE target_id = 'books'")).first()
    assert golden_id is not None
    before = visitor.get("/targets/books").text
    tally = Tally()
    tally.counts["customer"]["compared"] = 1_200
    tally.add("customer", "edited", golden_id=golden_id[0], record="books/customer:7<b>", fields=["companyName"])
    tally.counts["customer"]["unknown"] = 31
    tally.add("customer", "waiting", golden_id=golden_id[0])
    keep_drift(hub, "found", tally)

    page = visitor.get("/targets/books").text

    assert "It was not compared yet." in before
    assert "1200 records were read." in page
    assert "edited there" in page
    assert "books/customer:7&lt;b&gt;" in page
    assert "not known to us" in page
    assert ">31<" in page
    assert f'href="/records/{golden_id[0]}"' in page.partition('id="drift-title"')[2].partition("</section>")[0]
    assert "mdm targets drift books --repair republish" in page


def test_a_comparison_that_mended_all_or_found_nothing_asks_for_nothing(hub: Hub, sign_in: SignIn) -> None:
    visitor, tally = sign_in("vera", "viewer"), Tally()
    tally.add("customer", "missed", record="books/customer:7")
    keep_drift(hub, "repaired", tally)
    mended = visitor.get("/targets/books").text
    keep_drift(hub, "found", Tally())

    nothing = visitor.get("/targets/books").text

    assert "What differed was mended." in mended
    assert "It holds what it should." in nothing
    assert "--repair" not in mended + nothing


def ordered(hub: Hub, aim: Aim = "planned") -> Report:
    return run(hub.engine, lambda connection: backfills.order(connection, "books", aim, who="anna"))


def test_a_backfill_that_is_under_way_shows_how_far_it_is_and_is_cancelled_by_a_lead(hub: Hub, sign_in: SignIn) -> None:
    viewer, lead = sign_in("vera", "viewer"), sign_in("mara", "lead")
    assert "backfill" not in viewer.get("/targets/books").text.partition('id="backfill"')[2].partition("</div>")[0]
    ordered(hub)
    waiting_page = viewer.get("/targets/books").text
    report = run(hub.engine, backfills.take_up)
    assert report is not None
    run(hub.engine, lambda c: backfills.hold(c, report, progress=Progress("customer", 1_400, 1, 2)))

    pages = [each.get("/targets/books").text for each in (viewer, lead)]

    assert "A backfill waits for the worker" in waiting_page
    assert all("A backfill reads the records there" in page and "Type 1 of 2:" in page for page in pages)
    assert all("1400 records so far." in page for page in pages)
    assert ["Cancel the backfill" in page for page in pages] == [False, True]
    assert viewer.post("/targets/books/cancel-backfill", {}).status_code == 403
    assert lead.post("/targets/books/cancel-backfill", {}).headers["location"] == "/targets/books"
    assert "was cancelled by" in viewer.get("/targets/books").text
    with pytest.raises(LeaseLost):
        run(hub.engine, lambda c: backfills.hold(c, report))


def test_a_backfill_that_failed_says_why_as_text(hub: Hub, sign_in: SignIn) -> None:
    ordered(hub)
    report = run(hub.engine, backfills.take_up)
    assert report is not None
    failed = replace(report, state="failed", reason=f"books cannot be read: {HOSTILE}")
    run(hub.engine, lambda connection: backfills.settle(connection, failed))

    page = sign_in("mara", "lead").get("/targets/books").text

    assert "books cannot be read: " in page
    assert "<img" not in page
    assert "Cancel the backfill" not in page


def test_outside_of_its_hours_a_target_says_from_when_it_is_told_again(hub: Hub, sign_in: SignIn) -> None:
    begins = datetime.now(UTC) + timedelta(hours=2)
    schedule = {"hours": f"{begins:%H:%M}-{begins + timedelta(hours=1):%H:%M}", "timezone": "UTC"}
    visitor = sign_in("mara", "viewer")
    assert "Outside of its hours" not in visitor.get("/targets/books").text
    with hub.engine.begin() as connection:
        statement = text(
            "UPDATE target SET configuration = jsonb_set(configuration, '{schedule}', CAST(:schedule AS jsonb))"
            " WHERE id = 'books'"
        )
        connection.execute(statement, {"schedule": as_json(schedule)})

    page, overview = visitor.get("/targets/books").text, visitor.get("/targets").text

    assert "Outside of its hours: what changes waits. It is told again from" in page
    assert "in 2 hours" in page
    assert "Told again from" in overview
    assert "Outside of its hours" in overview
