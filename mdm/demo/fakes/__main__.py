"""Run a fake system from the command line: `python -m mdm.demo.fakes erp --port 9101 --scopes usmf demf`.

It prints one line with its address and runs until it is interrupted; its state is gone with it.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from mdm.demo.fakes.crm import CRM
from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import MISBEHAVIOUR
from mdm.demo.fakes.limits import Rate
from mdm.demo.fakes.wire import LOCALHOST, running

CHARACTERS = {character.name: character for character in (ERP, CRM)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one fake until it is interrupted."""
    chosen = _parser().parse_args(arguments)
    fake = Fake(CHARACTERS[chosen.character], scopes=chosen.scopes, seed=chosen.seed)
    fake.change_hub_key(chosen.hub_key)
    fake.records.has_duplicate_rule = chosen.duplicate_rule
    fake.latency_s = chosen.latency_s
    for user in chosen.users:
        fake.key_of(user)
    if chosen.rate:
        fake.limits.rate = Rate(chosen.rate)
    for name, probability in chosen.misbehave or ():
        fake.faults.plan(MISBEHAVIOUR[name], probability=float(probability))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with running(fake, host=chosen.host, port=chosen.port) as runs:
        keys = ", ".join(f"{key} ({user})" for key, user in runs.users_by_key.items())
        sys.stdout.write(f"The fake {chosen.character} listens on {runs.url}. Keys: {keys}\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mdm.demo.fakes", description="Run a fake ERP or CRM.")
    parser.add_argument("character", choices=sorted(CHARACTERS))
    parser.add_argument("--host", default=LOCALHOST)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--scopes", nargs="*", default=(), help="legal entities of the ERP")
    parser.add_argument("--hub-key", default="hub-key", help="API key of the hub")
    parser.add_argument("--users", nargs="*", default=(), help="users who get an API key of their own, NAME-key")
    parser.add_argument("--duplicate-rule", action="store_true", help="refuse duplicates")
    parser.add_argument("--rate", type=int, default=0, help="requests a minute and key; 0 for any number")
    parser.add_argument("--latency-s", type=float, default=0.0, help="seconds before an answer")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument(
        "--misbehave",
        nargs=2,
        action="append",
        metavar=("FAULT", "PROBABILITY"),
        help=f"may be given several times; faults: {', '.join(MISBEHAVIOUR)}",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
