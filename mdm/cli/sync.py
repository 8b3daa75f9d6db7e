"""`mdm sync`: write to the targets what waits for them."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson


def sync(
    target: Annotated[str | None, typer.Argument(help="Only this target.", metavar="[ID]")] = None,
    as_json: AsJson = False,
) -> None:
    """Write to file targets what they were not told of yet; nothing is written when nothing waits."""
    from mdm.cli.output import print_lines, print_text
    from mdm.cli.session import session
    from mdm.publishing.file_target import sync as sync_one
    from mdm.publishing.file_target import sync_all

    with session() as hub:
        found = (sync_one(hub.engine, hub.declared, target),) if target else sync_all(hub.engine, hub.declared)
    if as_json:
        print_lines(found)
        return
    for synced in found:
        wrote = (
            f"{len(synced.files)} files for {synced.acknowledged:,} golden records"
            if synced.acknowledged
            else "nothing waits"
        )
        print_text(f"{synced.target_id}: {wrote}")
    if not found:
        print_text("There is no target; `mdm targets add file ID FOLDER` adds one.")
