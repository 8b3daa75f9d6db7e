"""`mdm targets apply … remove` and `mdm deliveries`: declared targets, and what is done about what waits."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from sqlalchemy import Engine

from mdm.connectors.model import Failure
from mdm.db.transaction import run
from mdm.delivery.model import StandingState
from mdm.delivery.relay import Relay, relay_to_records
from mdm.delivery.targets import end_backfill, let_stand, require_declaration
from mdm.jobs.service import deliver
from tests.hubs import delivery, hub_on, register_instances
from tests.integration.cli.conftest import Mdm, document, lines
from tests.targets import Shelf

pytestmark = pytest.mark.db

BOOKS = """
    target: books
    title: The books
    kind: records
    connection: {connector: record_api, url: 'http://127.0.0.1:1', secret: MDM_SECRET_BOOKS}
    instance: netsuite-us
    records:
      customer:
        object: customer
        creates: true
        fields:
          legal_name: {field: companyName}
"""


@pytest.fixture
def filled(mdm: Mdm, engine: Engine) -> Mdm:
    """Give the command line on a hub of three golden records, of two of which the target has a record."""
    hub = hub_on(engine)
    register_instances(hub, "salesforce-emea", "netsuite-us")
    clients = (("netsuite-us/customer:42", "Mueller"), ("netsuite-us/customer:43", "Bolt"))
    deliver(hub, [delivery(key, "customer", Name=name) for key, name in clients], who="test")
    deliver(hub, [delivery("salesforce-emea/Account:1", "customer", Name="Acme")], who="test")
    return mdm


@pytest.fixture
def books(filled: Mdm, tmp_path: Path) -> Path:
    """Give the file of a target."""
    file = tmp_path / "books.yaml"
    file.write_text(dedent(BOOKS), encoding="utf-8")
    return file


def relay(engine: Engine, shelf: Shelf) -> Relay:
    """Give the relay of the declared target, its records taken for matched."""
    declaration = run(engine, lambda connection: require_declaration(connection, "books"))
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    return relay_to_records(hub_on(engine), declaration, shelf)


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(filled: Mdm, books: Path) -> None:
    text = books.read_text(encoding="utf-8").replace("creates: true", "creats: true").replace("kind: rec", "kind: Rec")
    books.write_text(text.replace("MDM_SECRET_BOOKS", "hunter2"), encoding="utf-8")

    refused = filled("targets", "apply", books)
    as_json = filled("targets", "apply", books, "--json")

    assert refused.exit_code == 1
    assert "books.yaml:4: kind" in refused.stderr
    assert "books.yaml:10: records.customer.creats" in refused.stderr
    assert json.loads(as_json.stderr)["error"]["code"] == "target_declaration_invalid"


def test_an_instance_that_nobody_registered_is_told_with_the_other_faults(filled: Mdm, books: Path) -> None:
    text = books.read_text(encoding="utf-8").replace("netsuite-us", "netsuite-uk")
    books.write_text(text, encoding="utf-8")
    alone = filled("targets", "apply", books)
    books.write_text(text.replace("legal_name", "legal_nam"), encoding="utf-8")

    refused = filled("targets", "apply", books, "--dry-run")

    named = "books.yaml:6: instance: there is no source instance 'netsuite-uk'; register it with `mdm sources add`"
    assert (alone.exit_code, named in alone.stderr) == (1, True)
    assert "known are" in refused.stderr
    assert named in refused.stderr
    assert "books.yaml:12: records.customer.fields.legal_nam: 'legal_nam' is not declared" in refused.stderr


def test_a_connection_that_cannot_be_used_is_refused_before_anything_is_kept(filled: Mdm, books: Path) -> None:
    text = books.read_text(encoding="utf-8").replace("record_api", "recordapi").replace("url:", "urll:")
    books.write_text(text, encoding="utf-8")

    dry, refused = filled("targets", "apply", books, "--dry-run"), filled("targets", "apply", books)

    for answer in (dry, refused):
        assert answer.exit_code == 1
        assert (
            "books.yaml:5: connection.connector: there is no connector 'recordapi'; write record_api" in answer.stderr
        )
        assert "books.yaml:5: connection.urll: urll is not a key here; write url" in answer.stderr
        assert "books.yaml:5: connection.url: is missing" in answer.stderr
    assert lines(filled("targets", "list", "--json")) == []


def test_a_secret_that_is_not_there_is_a_warning(filled: Mdm, books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warning = "Warning: connection.secret: MDM_SECRET_BOOKS is not set in this environment"

    applied = filled("targets", "apply", books)
    monkeypatch.setenv("MDM_SECRET_BOOKS", "hunter2")

    assert (applied.exit_code, warning in applied.stderr) == (0, True)
    assert "Warning" not in filled("targets", "apply", books, "--dry-run").stderr


def test_a_target_that_cannot_be_opened_is_listed_as_failing_with_the_reason(
    filled: Mdm, books: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled("targets", "apply", books)
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))

    assert filled("worker", "--once").exit_code == 0

    assert "running, failing" in filled("targets", "list").stdout
    told = " ".join(filled("targets", "show", "books").stdout.split())
    assert "1 attempt to open it in a row: it cannot be opened: MDM_SECRET_BOOKS is not set" in told
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE target_pulse SET failures = 6 WHERE target_id = 'books'")
    assert "6 attempts to open it in a row" in " ".join(filled("targets", "show", "books").stdout.split())
    monkeypatch.setenv("MDM_SECRET_BOOKS", "hunter2")
    filled("worker", "--once")
    assert "cannot be opened" not in filled("targets", "show", "books").stdout


def test_a_dry_run_says_what_applying_then_does(filled: Mdm, books: Path) -> None:
    seen = document(filled("targets", "apply", books, "--dry-run", "--json"))
    assert lines(filled("targets", "list", "--json")) == []
    done = document(filled("targets", "apply", books, "--json"))

    assert seen["applied"] == done["applied"]
    assert (done["applied"]["change"], done["applied"]["queued"]) == ("new", 3)
    (line,) = lines(filled("targets", "list", "--json"))
    assert (line["standing"]["state"], line["depth"]["ready"]) == ("backfill", 3)


def test_a_change_is_told_place_by_place(filled: Mdm, books: Path) -> None:
    filled("targets", "apply", books)
    assert "books is unchanged" in filled("targets", "apply", books).stdout
    changed = books.read_text(encoding="utf-8").replace("creates: true", "creates: false")
    books.write_text(changed.replace("companyName}", "companyName, owner: fill}"), encoding="utf-8")

    said = filled("targets", "apply", books, "--dry-run").stdout

    assert "books would be changed" in said
    assert "records.customer.creates: true -> false" in said
    assert 'records.customer.fields.legal_name.owner: (not there) -> "fill"' in said
    assert "creates: true" in filled("targets", "show", "books").stdout


def test_a_target_that_is_new_to_an_entity_type_waits_for_its_backfill(
    filled: Mdm, books: Path, engine: Engine
) -> None:
    filled("targets", "apply", books)
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    more = "  project:\n    object: job\n    creates: true\n    fields:\n      name: {}\n"
    books.write_text(books.read_text(encoding="utf-8") + more, encoding="utf-8")

    said = filled("targets", "apply", books).stdout

    assert "Nothing is written until its records of project are matched" in said
    assert document(filled("targets", "show", "books", "--json"))["standing"]["state"] == "backfill"


@pytest.mark.parametrize("state", ["paused", "draining", "stopped"])
def test_a_target_that_did_not_run_does_not_run_after_the_backfill_of_a_new_entity_type(
    filled: Mdm, books: Path, engine: Engine, state: StandingState
) -> None:
    def standing() -> Any:
        return document(filled("targets", "show", "books", "--json"))["standing"]

    filled("targets", "apply", books)
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    run(engine, partial(let_stand, target_id="books", state=state, reason="audit", who="mara"))
    for name, object_ in (("project", "job"), ("contract", "order")):
        more = f"  {name}:\n    object: {object_}\n    creates: true\n    fields:\n      name: {{}}\n"
        books.write_text(books.read_text(encoding="utf-8") + more, encoding="utf-8")
        said = filled("targets", "apply", books).stdout
        assert f"Nothing is written until its records of {name} are matched; then it is {state}: " in said
    assert (standing()["state"], standing()["after"]) == ("backfill", {"state": state, "reason": "audit"})
    assert f"{state}: audit" in filled("targets", "show", "books").stdout

    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    assert (standing()["state"], standing()["reason"], standing()["after"]) == (state, "audit", None)
    assert filled("targets", "resume", "books", "--reason", "done").stdout == "books is running\n"


def test_applying_says_how_the_target_stands_and_what_to_do_next(filled: Mdm, books: Path, engine: Engine) -> None:
    def apply(*options: str) -> str:
        return filled("targets", "apply", books, *options).stdout

    assert "records of customer are matched: mdm targets backfill books" in apply()
    again, dry = apply(), apply("--dry-run")
    assert "Nothing is written until its records are matched: mdm targets backfill books" in again
    assert "mdm targets backfill books" in dry
    assert "mdm worker" not in again

    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    assert "`mdm worker`, or `mdm serve`, tells it." in apply()
    states: tuple[StandingState, ...] = ("paused", "draining", "stopped", "disabled")
    for state in states:
        run(engine, partial(let_stand, target_id="books", state=state, reason="401 Unauthorized", who="test"))
        said = apply()
        assert (f"It is {state}" in said, "mdm targets resume books" in said) == (True, True)
        assert "mdm worker" not in said
        assert document(filled("targets", "apply", books, "--json"))["applied"]["state"] == state
    assert "`mdm targets show books` says why" in said


def test_a_target_keeps_its_kind_and_its_system(filled: Mdm, books: Path) -> None:
    filled("targets", "apply", books)
    books.write_text(books.read_text(encoding="utf-8").replace("netsuite-us", "salesforce-emea"), encoding="utf-8")

    refused = filled("targets", "apply", books)

    assert refused.exit_code == 1
    assert "books writes the records of netsuite-us, not of salesforce-emea" in refused.stderr


def test_a_target_is_paused_resumed_and_drained_with_a_reason(filled: Mdm, books: Path, engine: Engine) -> None:
    filled("targets", "apply", books)
    assert "are not matched yet" in filled("targets", "resume", "books", "--reason", "audit").stderr
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    assert filled("targets", "pause", "books").exit_code == 2
    assert "say why" in filled("targets", "pause", "books", "--reason", " ").stderr

    assert filled("targets", "pause", "books", "--reason", "audit").stdout == "books is paused\n"
    assert "audit" in filled("targets", "show", "books").stdout
    assert document(filled("targets", "drain", "books", "--reason", "audit", "--json"))["state"] == "draining"
    assert filled("targets", "resume", "books", "--reason", "done").stdout == "books is running\n"


def test_a_target_that_waits_for_its_backfill_is_paused_from_then_on(filled: Mdm, books: Path, engine: Engine) -> None:
    filled("targets", "apply", books)

    paused = filled("targets", "pause", "books", "--reason", "they restore a backup").stdout
    assert paused == "books waits for its backfill, and is paused after it\n"
    assert "paused: they restore a backup" in filled("targets", "show", "books").stdout
    assert "is running after it" in filled("targets", "resume", "books", "--reason", "restored").stdout
    told = document(filled("targets", "drain", "books", "--reason", "audit", "--json"))
    assert (told["state"], told["after"]) == ("backfill", {"state": "draining", "reason": "audit"})

    run(engine, lambda connection: end_backfill(connection, "books", who="test"))
    standing = document(filled("targets", "show", "books", "--json"))["standing"]
    assert (standing["state"], standing["reason"], standing["after"]) == ("draining", "audit", None)


def test_dead_letters_are_listed_replayed_and_skipped(filled: Mdm, books: Path, engine: Engine) -> None:
    filled("targets", "apply", books)
    shelf = Shelf(failing=[Failure("refused", "422 Unprocessable Content")] * 2)
    relay(engine, shelf).drain()
    dead = lines(filled("deliveries", "list", "--target", "books", "--state", "dead", "--json"))
    assert [one["failure_reason"] for one in dead] == ["422 Unprocessable Content"] * 2
    assert len(lines(filled("deliveries", "history", "--state", "dead", "--json"))) == 2
    one, other = (each["golden_id"] for each in dead)

    dry = filled("deliveries", "skip", "-t", "books", "-g", one, "--reason", "no client", "--dry-run")
    assert dry.stdout == "1 golden record would be left out\n"
    skip = ("deliveries", "skip", "-t", "books", "-g", one, "--reason", "no client", "--json")
    assert document(filled(*skip))["lanes"] == 1
    assert filled("deliveries", "replay", "-t", "books", "--reason", "mended").stdout == (
        "1 golden record will be told again\n"
    )
    relay(engine, shelf).drain()

    assert lines(filled("deliveries", "list", "--json")) == []
    (skipped,) = lines(filled("deliveries", "history", "-g", one, "--state", "skipped", "--json"))
    assert skipped["reason"] == "no client"
    told = {one["outcome"] for one in lines(filled("deliveries", "history", "-g", other, "--json"))}
    assert {"dead", "delivered"} <= told


def test_a_range_takes_back_what_was_told_in_it(filled: Mdm, books: Path, engine: Engine) -> None:
    filled("targets", "apply", books)
    shelf = Shelf()
    relay(engine, shelf).drain()

    replay = ("deliveries", "replay", "-t", "books", "--reason", "they restored a backup", "--dry-run", "--json")
    told = len(shelf.changes)

    assert told >= 1
    assert document(filled(*replay, "--since", "2026-01-01"))["lanes"] == told
    assert document(filled(*replay, "--until", "2026-01-01"))["lanes"] == 0


def test_a_range_that_ends_before_it_begins_is_refused(filled: Mdm, books: Path) -> None:
    filled("targets", "apply", books)
    replay = ("deliveries", "replay", "-t", "books", "--reason", "x", "--since", "2026-02-03", "--until", "2026-02-01")

    for refused in (filled(*replay), filled(*replay, "--dry-run")):
        assert refused.exit_code == 1
        assert "begins at 2026-02-03T00:00:00+00:00, after its end at 2026-02-01T23:59:59" in refused.stderr
    assert filled(*replay[:-1], "2026-02-03").exit_code == 0


def test_only_who_says_yes_forgets_a_declared_target(filled: Mdm, books: Path) -> None:
    filled("targets", "apply", books)

    assert "--yes removes it" in filled("targets", "remove", "books").stderr
    assert document(filled("targets", "remove", "books", "--yes", "--json"))["state"] == "removed"
    assert lines(filled("targets", "list", "--json")) == []
    assert filled("check").exit_code == 0


def test_wrong_words_are_answered_with_the_right_ones(filled: Mdm, tmp_path: Path) -> None:
    filled("targets", "add", "file", "erp", tmp_path / "out")

    assert "choose any, ready" in filled("deliveries", "list", "--state", "parked").stderr
    assert "list them with `mdm targets list`" in filled("deliveries", "list", "-t", "nobody").stderr
    assert "erp is a folder of files" in filled("targets", "pause", "erp", "--reason", "x").stderr
    assert "erp is a folder of files" in filled("deliveries", "replay", "-t", "erp", "--reason", "x").stderr
    assert "late by" in filled("targets", "show", "erp").stdout


def test_the_schema_of_a_target_is_printed(mdm: Mdm) -> None:
    schema = document(mdm("schema", "target"))

    assert {"target", "kind", "records", "events"} <= schema["properties"].keys()
    assert mdm("schema", "house").exit_code == 2


def test_outside_of_its_hours_a_target_says_from_when_it_is_told_again(
    filled: Mdm, books: Path, engine: Engine
) -> None:
    begins = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    schedule = f'schedule: {{hours: "{begins:%H:%M}-{begins + timedelta(hours=1):%H:%M}", timezone: UTC}}\n'
    books.write_text(books.read_text(encoding="utf-8") + schedule, encoding="utf-8")
    filled("targets", "apply", books)
    assert "told again" not in filled("targets", "show", "books").stdout  # its records are not matched
    run(engine, lambda connection: end_backfill(connection, "books", who="test"))

    shown, listed = filled("targets", "show", "books").stdout, filled("targets", "list").stdout

    assert f"from {begins:%Y-%m-%d %H:%M} UTC" in shown
    assert "told again from" in " ".join(listed.split())
    (line,) = lines(filled("targets", "list", "--json"))
    assert (datetime.fromisoformat(line["told_again_at"]), line["oldest_s"]) == (begins, None)
    assert document(filled("worker", "--once", "--json"))["tell_targets"] == 0
