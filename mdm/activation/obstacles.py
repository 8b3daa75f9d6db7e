"""What keeps the system that bills from having what a deal made, where waiting ends nothing and a person has to act."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from mdm.activation.clients import client_of, golden_of
from mdm.activation.model import Deal, Made
from mdm.activation.records import keys_in
from mdm.delivery import standings_store
from mdm.delivery.orders import lane_lines
from mdm.delivery.targets import declarations_of_instances
from mdm.entities.model import Reason

_CALLED: Final[Mapping[Made, str]] = MappingProxyType(
    {"customer": "client", "project": "project", "contract": "contract"}
)


def obstacle_to(connection: Connection, deal: Deal, made: Made) -> Reason | None:
    """Say why the system that bills will not get what a deal made; None while it may, or where people create it."""
    assert deal.billing is not None, "a deal that is complete has somebody who bills it"
    target = declarations_of_instances(connection, [deal.billing]).get(deal.billing)
    if target is None:
        return None
    standing = standings_store.select_standing(connection, target.id)
    if standing is not None and standing.state in {"stopped", "disabled"}:
        problem = f"target {target.id} is {standing.state}, so that {deal.billing} is told nothing: {standing.reason}"
        remedy = f"mend the cause, then `mdm targets resume {target.id} --reason …`"
        return Reason(made, "target_stopped", problem, remedy, "reject")
    golden_id = golden_of(connection, deal, made)
    parked = lane_lines(connection, [target.id], state="dead", golden_id=golden_id, limit=1)
    if not parked:
        return None
    problem = f"{deal.billing} does not take the {_CALLED[made]} {golden_id}: {parked[0].failure_reason}"
    remedy = f"mend it, then `mdm deliveries replay --target {target.id} --golden {golden_id} --reason …`"
    return Reason(made, f"refused_{made}", problem, remedy, "reject")


def obstacles_of(connection: Connection, deal: Deal) -> tuple[Reason, ...]:
    """List what holds up a deal that waits for what does not come by itself, each with what to do."""
    if not deal.progress.is_stuck:
        return ()
    if deal.progress.because == "client_gone":
        problem = f"the client {client_of(connection, deal)} has no record that {deal.billing} could be told of"
        remedy = "let its source deliver it again, or undo the decision that keeps it apart; else cancel the deal"
        return (Reason("customer", "client_gone", problem, remedy, "reject"),)
    missing = (made for made in _CALLED if not keys_in(connection, golden_of(connection, deal, made), deal.billing))
    found = (obstacle_to(connection, deal, made) for made in missing)
    return tuple({one.code: one for one in found if one is not None}.values())
