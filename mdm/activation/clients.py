"""The client of a deal as it stands now: who it is, whether it is still there, what of the deal points past it.

A deal remembers the golden record that it found or reserved. That one may end without it: somebody else's reservation
is given up or runs out, a record is taken out. Nothing is written here; what follows is done in `steps`.
"""

from sqlalchemy import Connection

from mdm.activation import reservations_store, store
from mdm.activation.model import Deal, Made
from mdm.activation.records import keys_in
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.sources import references_store
from mdm.sources import store as sources_store


def client_of(connection: Connection, deal: Deal) -> GoldenId:
    """Find the billed legal entity as it stands now: where the reservation's record went, or what was found."""
    if deal.ids.reservation_id is not None:
        found = reservations_store.select_reservation(connection, deal.ids.reservation_id)
        if found is not None and found.state in {"open", "confirmed"}:
            return found.golden_id
    assert deal.ids.customer_id is not None, "the customer is found before anything points at it"
    return resolve_golden(connection, deal.ids.customer_id).id


def golden_of(connection: Connection, deal: Deal, made: Made) -> GoldenId:
    """Find the golden record of a deal's client, project or contract."""
    if made == "customer":
        return client_of(connection, deal)
    return store.require_golden(connection, deal.key_of(made))


def client_key(connection: Connection, deal: Deal) -> str:
    """Choose the key by which project and contract point at the billed legal entity."""
    golden_id = client_of(connection, deal)
    keys = keys_in(connection, golden_id, deal.billing) or keys_in(connection, golden_id, None)
    return str(keys[0])


def is_gone(connection: Connection, deal: Deal) -> bool:
    """Tell whether nothing stands for the client any more: no source has it, and nobody reserves it."""
    return not keys_in(connection, client_of(connection, deal), None)


def is_to_come(connection: Connection, deal: Deal) -> bool:
    """Tell whether somebody is about to create the client in the system that bills."""
    assert deal.billing is not None, "a deal that is complete has somebody who bills it"
    golden_id = client_of(connection, deal)
    return reservations_store.select_open_on(connection, golden_id, source=deal.billing) is not None


def pointing_elsewhere(connection: Connection, deal: Deal) -> tuple[Made, ...]:
    """Name what the deal made that does not point at its client: at nobody, or at another golden record."""
    made: dict[Made, bool] = {"project": deal.ids.has_project, "contract": deal.ids.has_contract}
    keys = {deal.key_of(one): one for one, is_there in made.items() if is_there}
    heads = sources_store.select_heads(connection, list(keys))
    pointed = references_store.select_resolved_references(connection, [head.id for head in heads.values()])
    client_id = client_of(connection, deal)
    return tuple(one for key, one in keys.items() if pointed.get((heads[key].id, "customer", 0)) != client_id)
