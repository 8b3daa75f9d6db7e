"""`mdm verify`: tell whether the audit log is what was written, and whether the rows are what it tells of."""

from pathlib import Path
from typing import Annotated

import typer

from mdm.cli.exits import ExitCode
from mdm.cli.options import AsJson


def verify(
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Folder of exported checkpoints, best a copy kept elsewhere; else the hub's own."),
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option(help="Public key that signed them; repeat it. Else that of the home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the audit log against its chain, the rows it tells of and its checkpoints; exit code 4 on a fault."""
    import time
    from dataclasses import asdict

    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session
    from mdm.errors import FileUnreadable
    from mdm.history import service
    from mdm.history.checkpoints import own_public_keys, read_public_key

    with session() as hub:
        keys = [read_public_key(path) for path in key] if key else own_public_keys(hub.settings.home)
        folder = checkpoints or hub.settings.checkpoint_folder
        if checkpoints is not None and not checkpoints.is_dir():
            raise FileUnreadable(str(checkpoints), "no such folder", remedy="name the folder that holds the months")
        started = time.perf_counter()
        found = service.verify(hub.engine, folder=folder, keys=keys)
        seconds = time.perf_counter() - started
    if as_json:
        print_json({**asdict(found), "head": found.head.hex(), "seconds": round(seconds, 3)})
    else:
        print_text(f"Hub          {found.hub_id}")
        print_text(f"Sealed       {found.sealed:,} entries in {seconds:.1f} s, head {found.head.hex()[:16]}…")
        print_text(f"Not sealed   {found.unsealed.count:,}, the oldest for {found.unsealed.oldest_s:.1f} s")
        print_text(f"Rows         {found.rows:,} compared with their entries; {found.erased:,} digests erased")
        later = found.sealed - found.checkpoint_size
        beyond = f"{later:,} entries since the newest" if later >= 0 else "the newest goes beyond the log"
        print_text(f"Checkpoints  {found.checkpoints:,}; {beyond}")
        for fault in found.faults:
            print_text(f"FAULT {fault.kind}: {fault.place}: {fault.told}")
        print_text(f"{len(found.faults):,} faults." if found.faults else "The audit log verifies.")
    if found.faults:
        raise typer.Exit(ExitCode.FOUND)
