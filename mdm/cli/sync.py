"""`mdm sync`: write to the targets what waits for them."""

from typing import TYPE_CHECKING, Annotated

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson
from mdm.cli.words import counted

if TYPE_CHECKING:
    from mdm.publishing.model import Synced


def sync(
    target: Annotated[str | None, typer.Argument(help="Only this target.", metavar="[ID]")] = None,
    as_json: AsJson = False,
) -> None:
    """Write to file targets what they were not told of yet; exit code 3 when one of them cannot be written."""
    from mdm.cli.output import print_lines, print_text, tell
    from mdm.cli.session import session
    from mdm.publishing.file_target import sync as sync_one
    from mdm.publishing.file_target import sync_all

    with session() as hub:
        found = (sync_one(hub.engine, hub.declared, target),) if target else sync_all(hub.engine, hub.declared)
    if as_json:
        print_lines(found)
    elif not found:
        print_text("There is no target; `mdm targets add file ID FOLDER` adds one.")
    else:
        for synced in found:
            if synced.failure:
                tell(f"{synced.target_id}: {synced.failure}")
            else:
                print_text(f"{synced.target_id}: {_wrote(synced)}")
    if any(synced.failure for synced in found):
        raise typer.Exit(ExitCode.UNAVAILABLE)


def _wrote(synced: "Synced") -> str:
    if not synced.acknowledged:
        return "nothing waits"
    return f"{counted(len(synced.files), 'file')} for {counted(synced.acknowledged, 'golden record')}"
