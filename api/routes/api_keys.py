"""Routes of API keys."""

from datetime import timedelta

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api.dependencies import Asker, TheHub, Unsafe
from api.route import HubRoute
from api.schemas.api_keys import KeyAsked, KeysTold, KeyTold, NewKeyTold, RotationAsked
from mdm.access.model import NewKey
from mdm.access.service import create_key, list_keys, revoke_key, rotate_key
from mdm.db.transaction import reading

router = APIRouter(route_class=HubRoute, tags=["API keys"])


@router.get("/v1/api-keys", operation_id="list_api_keys", response_model_exclude_none=True)
def list_api_keys(hub: TheHub) -> KeysTold:
    """List every key, live or not, without secrets."""
    with reading(hub.engine) as connection:
        return KeysTold(rows=[KeyTold.of(key) for key in list_keys(connection)])


@router.post("/v1/api-keys", operation_id="create_api_key", response_model=NewKeyTold, status_code=201)
def create_api_key(asked: KeyAsked, asker: Asker, once: Unsafe) -> Response:
    """Make a key; its token is in this reply and nowhere else."""

    def effect(connection: Connection) -> tuple[NewKeyTold, NewKeyTold]:
        return _told(
            create_key(
                connection,
                name=asked.name,
                scopes=asked.scopes,
                by=asker.name,
                expires_at=asked.expires_at,
                rates=asked.rates,
            )
        )

    return once.showing(effect, status=201)


@router.post("/v1/api-keys/{key_id}:rotate", operation_id="rotate_api_key", response_model=NewKeyTold, status_code=201)
def rotate_api_key(key_id: str, asked: RotationAsked, asker: Asker, once: Unsafe) -> Response:
    """Make a key of the same name and scopes; the old one works for the overlap, then no more."""

    def effect(connection: Connection) -> tuple[NewKeyTold, NewKeyTold]:
        return _told(rotate_key(connection, key_id, by=asker.name, overlap=timedelta(seconds=asked.overlap_s)))

    return once.showing(effect, status=201)


@router.delete("/v1/api-keys/{key_id}", operation_id="revoke_api_key", response_model=KeyTold)
def revoke_api_key(key_id: str, asker: Asker, once: Unsafe) -> Response:
    """End a key for ever, within a second in every process."""
    return once(lambda connection: KeyTold.of(revoke_key(connection, key_id, by=asker.name)))


def _told(new: NewKey) -> tuple[NewKeyTold, NewKeyTold]:
    """Tell a new key twice: to keep, without the token, and to show, with it."""
    kept = NewKeyTold.of(new.key)
    return kept, kept.model_copy(update={"token": new.token})
