"""A process that runs the relays of a hub until it is killed."""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from mdm.db.engine import open_engine
from mdm.delivery.relays import keep_relays
from mdm.failpoints import arm_from_text
from mdm.hub import Hub
from mdm.settings import Settings
from tests.hubs import declared


@dataclass(frozen=True)
class Relaying:
    """Where the relays work, and at which failpoint, at which hit, the process kills itself; "" for none.

    secrets  what the environment holds of the targets' secrets: a fork server has that of the day it was started
    """

    url: str
    lease_s: float
    secrets: Mapping[str, str]
    point: str = ""
    hit: int = 1


def relay_for_ever(one: Relaying) -> None:
    """Run the relays; ends by a signal only."""
    os.environ.update(one.secrets)
    settings = Settings(delivery_lease_s=one.lease_s, outgoing_networks="127.0.0.0/8")
    if one.point:
        arm_from_text(f"{one.point}=kill:{one.hit}")
    engine = open_engine(one.url, 8)
    keep_relays(Hub(engine, declared(), settings), threading.Event())
