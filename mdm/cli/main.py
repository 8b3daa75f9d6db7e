"""The command `mdm`: registers every command, and turns whatever a command raises into a message and an exit code.

Command files import their services inside the function, so that `mdm --help` loads neither numpy nor SQLAlchemy.
"""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mdm.cli import (
    blocking,
    check,
    decide,
    demo,
    evaluate,
    find,
    load,
    match,
    relations,
    resolve,
    schema,
    serve,
    show,
    story,
    sync,
    verify,
    why,
    worker,
)
from mdm.cli.exits import EXIT_CODES, ExitCode
from mdm.cli.groups import add_group
from mdm.cli.options import IN_JSON
from mdm.errors import HubError, Unavailable

NEWLINE = "\n"
_EPILOG = (
    "Exit codes: " + "; ".join(f"{code:d} {meaning.partition(':')[0]}" for code, meaning in EXIT_CODES.items()) + "."
)


class Commands(TyperGroup):
    """The root of all commands, where their errors end; Typer asks for a class here."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of the hub becomes what happened and what to do."""
        try:
            return super().invoke(ctx)
        except HubError as error:
            from mdm.cli.output import tell_error

            tell_error(error, in_json=ctx.meta.get(IN_JSON, False))
            code = ExitCode.UNAVAILABLE if isinstance(error, Unavailable) else ExitCode.REFUSED
            raise typer.Exit(code) from None
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise
        except Exception as error:
            import logging

            if logging.getLogger("mdm").isEnabledFor(logging.DEBUG):
                raise
            typer.echo(f"Error: {type(error).__name__}: {str(error).partition(NEWLINE)[0][:300]}", err=True)
            typer.echo("What to do: report it; run it again with MDM_LOG_LEVEL=debug to see where.", err=True)
            raise typer.Exit(ExitCode.BUG) from error


app = typer.Typer(
    name="mdm",
    cls=Commands,
    help="Golden records for customers, projects, contracts and resources of every CRM, PSA and ERP.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(value: bool) -> None:
    if value:
        from importlib.metadata import version  # 20 ms of every other command

        typer.echo(f"mdm {version('mdm-hub')}")
        raise typer.Exit


@app.callback()
def mdm(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Say the version and exit.")
    ] = False,
) -> None:
    """Golden records for customers, projects, contracts and resources of every CRM, PSA and ERP."""


app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("load")(load.load)
app.command("match")(match.match)
app.command("evaluate")(evaluate.evaluate)
app.command("blocking")(blocking.blocking)
app.command("find")(find.find)
app.command("show")(show.show)
app.command("resolve")(resolve.resolve)
app.command("why")(why.why)
app.command("story")(story.story)
app.command("event")(story.event)
app.command("decide")(decide.decide)
add_group(app, "decisions", "mdm.cli.decisions", "Decisions of stewards.")
add_group(app, "override", "mdm.cli.override", "A steward's own values.")
app.command("relations")(relations.relations)
add_group(app, "golden", "mdm.cli.golden", "Merge, unmerge, split and otherwise mend golden records.")
add_group(app, "review", "mdm.cli.review_sheet", "Questions that wait for a steward.")
add_group(app, "exceptions", "mdm.cli.exceptions", "Deliveries that wait to be mended.")
add_group(app, "deals", "mdm.cli.deals", "Won deals on their way to be billed.")
add_group(app, "reservations", "mdm.cli.reservations", "Creates in other systems: ask first, confirm or abandon.")
add_group(app, "export", "mdm.cli.export", "Export tables for other systems.")
add_group(app, "model", "mdm.cli.model_training", "Rules as frozen versions: train, compare, activate, roll back.")
add_group(app, "sources", "mdm.cli.sources", "Source instances: the installations that records come from.")
add_group(app, "targets", "mdm.cli.target_reports", "Targets: where golden records are written back to.")
add_group(app, "deliveries", "mdm.cli.deliveries", "What targets were told, and what waits for them.")
app.command("sync")(sync.sync)
add_group(app, "keys", "mdm.cli.keys", "API keys for the HTTP interface.")
add_group(app, "people", "mdm.cli.people", "People who sign in to the console.")
app.command("check")(check.check)
app.command("verify")(verify.verify)
app.command("schema")(schema.schema)
for command in app.registered_commands:
    # Cut to a summary of its own, a command's first sentence would end in "..." at the width of a terminal.
    command.short_help = (command.callback.__doc__ or "").partition("\n")[0] if command.callback else None
