"""`mdm exceptions`: what could not be taken as it came, until somebody mends, replays or dismisses it."""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson, Limit, MaybeEntity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mdm.sources.exceptions_model import ExceptionState

app = typer.Typer()

Id = Annotated[str, typer.Argument(help="Id of the exception.", metavar="ID")]


@app.command("list")
def list_(
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only of this source instance.")] = None,
    state: Annotated[str, typer.Option(help="open, replayed, dismissed or superseded.")] = "open",
    entity: MaybeEntity = None,
    reason: Annotated[str | None, typer.Option(help="Only with this reason, as `mdm exceptions groups` names.")] = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List exceptions in the order they were queued, with every reason."""
    from mdm.cli.output import print_lines, print_table
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.sources.exceptions import listed_by
    from mdm.sources.exceptions_model import ExceptionFilter
    from mdm.sources.service import require_instance

    if state not in {"open", "replayed", "dismissed", "superseded"}:
        raise typer.BadParameter("choose open, replayed, dismissed or superseded", param_hint="--state")
    with session() as hub:
        if source is not None:
            run(hub.engine, lambda connection: require_instance(connection, source))
        name = hub.entity_type(entity).name if entity else None
        asked = ExceptionFilter(state=cast("ExceptionState", state), source=source, entity_type=name, code=reason)
        found = run(hub.engine, lambda connection: listed_by(connection, asked, limit=limit))
    if as_json:
        print_lines(found)
        return
    rows = (
        (each.id, each.kind, each.source_key, "; ".join(reason.message for reason in each.reasons)) for each in found
    )
    print_table(["id", "kind", "record", "reasons"], rows)


@app.command("groups")
def groups(
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only of this source instance.")] = None,
    entity: MaybeEntity = None,
    as_json: AsJson = False,
) -> None:
    """Count what waits by reason, the commonest first, each with an example to look at."""
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.sources.exceptions import grouped
    from mdm.sources.exceptions_model import ExceptionFilter

    with session() as hub:
        name = hub.entity_type(entity).name if entity else None
        asked = ExceptionFilter(source=source, entity_type=name)
        found = run(hub.engine, lambda connection: grouped(connection, asked))
    if as_json:
        print_lines(found)
        return
    rows = [
        (each.example_id, f"{each.count:,}", each.kind, each.source, each.entity_type, each.code, each.message)
        for each in found
    ]
    columns = ["for example", "count", "kind", "source", "entity", "reason", "what it says"]
    print_list(columns, rows, of="exceptions waiting")


@app.command("try")
def try_(
    exception: Id,
    changes: Annotated[
        list[str] | None,
        typer.Argument(help="COLUMN=VALUE pairs; nothing after = removes the column.", metavar="[COLUMN=VALUE...]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what mending and replaying would do now, and write nothing; exit code 4 when it would be rejected again."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.ids import ExceptionId
    from mdm.jobs.mending import try_mend

    mended = _changes(changes or [])
    with session() as hub:
        tried = try_mend(hub, ExceptionId(exception), mended, who=who())
    outcome = tried.outcome
    if as_json:
        print_json({"key": str(outcome.key), "status": outcome.status, "errors": outcome.errors})
    else:
        print_text(f"{outcome.key} would be {outcome.status}")
        for reason in outcome.errors:
            print_text(f"  {reason.message}; {reason.remedy}")
    if not tried.is_taken:
        raise typer.Exit(ExitCode.FOUND)


@app.command("show")
def show(exception: Id, as_json: AsJson = False) -> None:
    """Show one exception: its reasons, what to do about each, and the delivered fields."""
    from mdm.cli.output import as_json as written
    from mdm.cli.output import print_facts, print_json, print_table, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import ExceptionId
    from mdm.sources.exceptions import require

    with session() as hub:
        found = run(hub.engine, lambda connection: require(connection, ExceptionId(exception)))
    if as_json:
        print_json(found)
        return
    print_facts({"exception": found.id, "record": found.source_key, "entity": found.entity_type, "state": found.state})
    print_text("")
    print_table(["field", "reason", "what to do"], ((each.field, each.message, each.remedy) for each in found.reasons))
    print_text("")
    fields = found.fields.items()
    print_table(
        ["delivered", "value"], ((name, value if isinstance(value, str) else written(value)) for name, value in fields)
    )


@app.command("mend")
def mend(
    exception: Id,
    changes: Annotated[
        list[str],
        typer.Argument(help="COLUMN=VALUE pairs; nothing after = removes the column.", metavar="COLUMN=VALUE..."),
    ],
    as_json: AsJson = False,
) -> None:
    """Put mended values in place of delivered ones; `mdm exceptions replay` then sends the record on its way."""
    from mdm.activation.service import mendable_types
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.ids import ExceptionId
    from mdm.sources.exceptions import mend as put_right

    mended = _changes(changes)
    with session() as hub:
        found = run(
            hub.engine, lambda connection: put_right(connection, mendable_types(hub), ExceptionId(exception), mended)
        )
    if as_json:
        print_json(found)
    else:
        print_text(f"{found.id} is mended; send it with: mdm exceptions replay {found.id}")


@app.command("replay")
def replay(exception: Id, as_json: AsJson = False) -> None:
    """Send the delivery of an exception along the path once more; exit code 4 when it is rejected again."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.ids import ExceptionId
    from mdm.jobs import service as jobs

    with session() as hub:
        outcome = jobs.replay(hub, ExceptionId(exception), who=who())
    if as_json:
        print_json(
            {
                "key": str(outcome.key),
                "status": outcome.status,
                "golden_id": outcome.golden_id,
                "errors": outcome.errors,
            }
        )
    else:
        print_text(f"{outcome.key}: {outcome.status}{f', {outcome.golden_id}' if outcome.golden_id else ''}")
        for reason in outcome.errors:
            print_text(f"  {reason.message}; {reason.remedy}")
    if outcome.status == "rejected":
        raise typer.Exit(ExitCode.FOUND)


@app.command("dismiss")
def dismiss(exception: Id, as_json: AsJson = False) -> None:
    """Close an exception without taking its delivery."""
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.db.transaction import run
    from mdm.ids import ExceptionId
    from mdm.sources.exceptions import close

    with session() as hub:
        run(hub.engine, lambda connection: close(connection, ExceptionId(exception), state="dismissed", who=who()))
    if as_json:
        print_json({"id": exception, "state": "dismissed"})
    else:
        print_text(f"{exception} is dismissed")


def _changes(written: "Sequence[str]") -> dict[str, str | None]:
    """Read COLUMN=VALUE pairs."""
    pairs = [change.partition("=") for change in written]
    if not all(column and sign for column, sign, _ in pairs):
        raise typer.BadParameter("write COLUMN=VALUE, as in 'Name=Acme Ltd'", param_hint="COLUMN=VALUE")
    return {column: value or None for column, _, value in pairs}
