"""`mdm demo`: a made-up firm, loaded as a real one would be."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson


def demo(
    serve: Annotated[bool, typer.Option(help="Start the server after the summary.")] = True,
    scale: Annotated[float, typer.Option(min=0.01, max=100, help="Size of the firm; 1 is about 4,000 records.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed is another firm.")] = 7,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port of the server; 0 takes a free one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load the demo firm through the real path and say what happened; a second time changes nothing."""
    from mdm.cli.output import print_json, print_text, progress
    from mdm.cli.serve import run_server
    from mdm.cli.session import session
    from mdm.demo.service import load_demo

    with session() as hub:
        with progress("loading the demo firm") as shown:

            def on_batch(done: int, total: int) -> None:
                shown.update(shown.task_ids[0], description=f"loading the demo firm: {done:,} of {total:,} records")

            found = load_demo(hub, seed=seed, scale=scale, on_batch=on_batch)
        if as_json:
            print_json(
                {
                    "seconds": round(found.seconds, 1),
                    "changed": found.changed,
                    "statuses": dict(found.report.statuses),
                    "lines": found.lines,
                }
            )
        else:
            for line in found.lines:
                print_text(line)
            what = "Loaded" if found.changed else "Nothing changed: every record was known"
            print_text(f"{what}, in {found.seconds:.1f} s.")
        if serve:
            run_server(hub, port=port)
