"""`mdm worker`: do in the background what is due."""

from typing import Annotated

import typer

from mdm.cli.options import AsJson


def worker(
    once: bool = typer.Option(False, "--once", help="Run each task once and end."),
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port for scrapes of its counters; 0 takes a free one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Work out decayed values, match deferred records again, write to targets and seal the audit log, until SIGTERM."""
    import signal
    import threading
    from contextlib import ExitStack

    from mdm.cli.output import print_json, tell
    from mdm.cli.session import session
    from mdm.delivery.relays import tell_once
    from mdm.telemetry import serving_metrics
    from mdm.worker import TASKS, Task, run_once, work

    with session() as hub:
        if once:
            done = {task.name: run_once(hub, task) for task in (*TASKS, Task("tell_targets", 0.0, tell_once))}
            print_json(done) if as_json else tell(", ".join(f"{name} {count}" for name, count in done.items()))
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda _number, _frame: stop.set())
        with ExitStack() as running:
            port = hub.settings.metrics_port if metrics_port is None else metrics_port
            if port is not None:
                served = running.enter_context(serving_metrics(hub.settings.http_host, port))
                tell(f"Counters of this process: http://{hub.settings.http_host}:{served}/metrics")
            tell(f"working: {', '.join(task.name for task in TASKS)}")
            work(hub, stop)
        tell("stopped")
