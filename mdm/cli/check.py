"""`mdm check`: tell whether the promises hold on this database."""

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson


def check(as_json: AsJson = False) -> None:
    """Run the invariant queries on the live database; exit code 4 when something violates one."""
    from mdm.cli.output import print_lines, print_text
    from mdm.cli.session import session
    from mdm.db.transaction import run
    from mdm.jobs.check import INVARIANTS
    from mdm.jobs.check import check as violations_in

    with session() as hub:
        found = run(hub.engine, lambda connection: violations_in(connection, hub.declared))
    if as_json:
        print_lines(found)
    elif not found:
        print_text(f"All {len(INVARIANTS) + 1} invariants hold.")
    else:
        for violation in found:
            print_text(f"{violation.invariant}: {violation.count:,} violations")
            for shown in violation.shown:
                print_text(f"  {shown}")
    if found:
        raise typer.Exit(ExitCode.FOUND)
