"""Routes of source instances."""

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.dependencies import Asker, TheHub, Unsafe
from api.route import HubRoute
from api.schemas.shape import Fault
from api.schemas.sources import SourceAsked, SourceRegistered, SourcesTold, SourceTold
from mdm.db.transaction import reading
from mdm.jobs import registering
from mdm.sources.model import SourceInstance
from mdm.sources.service import instances

router = APIRouter(route_class=HubRoute, tags=["Sources"])


@router.get("/v1/sources", operation_id="list_sources")
def list_sources(hub: TheHub, asker: Asker) -> SourcesTold:
    """List the registered source instances of which the key may read something."""
    with reading(hub.engine) as connection:
        known = instances(connection)
    return SourcesTold(rows=[_told(one) for one in known if asker.principal.reaches("read", one.id)])


@router.post("/v1/sources", operation_id="register_source", response_model=SourceRegistered)
def register_source(asked: SourceAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Register a source instance, or change all of one but its id."""
    instance = SourceInstance(asked.id, asked.system, asked.title, asked.rank, asked.duplicate_free)

    def effect(connection: Connection) -> SourceRegistered:
        done = registering.register_source(connection, hub.declared, instance, who=asker.name)
        warnings = [Fault.of(warning) for warning in done.warnings]
        return SourceRegistered(**_told(done.instance).model_dump(), warnings=warnings)

    return once(effect)


def _told(instance: SourceInstance) -> SourceTold:
    return SourceTold(
        id=instance.id,
        system=instance.system,
        title=instance.title,
        rank=instance.rank,
        duplicate_free=instance.duplicate_free,
        retired_at=instance.retired_at,
    )
