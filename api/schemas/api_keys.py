"""Shapes of API keys."""

from typing import Annotated, Self

from pydantic import Field

from api.schemas.shape import Asked, Instant, Told, Word
from mdm.access.model import ApiKey
from mdm.access.rates_model import print_own_rates

# Chosen: a week is long enough to change the key in every place that uses it.
_OVERLAP_S_MAX = 7 * 24 * 3600


class KeyAsked(Asked):
    """A key to make."""

    name: Word = Field(description="Who will use it.", examples=["netsuite-sync"])
    scopes: Annotated[list[Word], Field(min_length=1, max_length=100)] = Field(
        description="`verb[:entity_type][@source]`; verbs are read, write, steward, lead, admin.",
        examples=[["read", "write:customer@netsuite-us"]],
    )
    expires_at: Instant | None = Field(default=None, examples=["2027-01-01T00:00:00Z"])
    rates: Annotated[list[Word], Field(max_length=4)] = Field(
        default=[],
        description="How much it may ask in place of the settings: `read`, `write`, `bulk_read` or `bulk_write`, how"
        " many in how many seconds.",
        examples=[["read=6000/60", "bulk_read=100000/60"]],
    )


class RotationAsked(Asked):
    """How to change over to a new key."""

    overlap_s: int = Field(
        default=0, ge=0, le=_OVERLAP_S_MAX, description="Seconds for which the old key still works.", examples=[3600]
    )


class KeyTold(Told):
    """A key without its secret."""

    id: str = Field(examples=["key_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    name: str = Field(examples=["netsuite-sync"])
    prefix: str = Field(description="How the token begins.", examples=["mdm_01hzy3v7k2m4n6p8q0r2s4t6v8"])
    scopes: list[str] = Field(examples=[["read", "write:customer@netsuite-us"]])
    rates: list[str] = Field(description="Rates of its own.", examples=[["read=6000/60"]])
    recorded_at: Instant
    who: str
    expires_at: Instant | None = None
    revoked_at: Instant | None = None
    revoked_by: str | None = None
    last_used_at: Instant | None = Field(default=None, description="To the minute.")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Tell what the hub keeps of a key."""
        return cls.model_validate(_members(key))


class NewKeyTold(KeyTold):
    """A key at the one moment when its token can be shown."""

    token: str | None = Field(
        default=None,
        description="Shown once. Absent when an Idempotency-Key is repeated: the hub does not keep it.",
        examples=["mdm_01hz…_Zk3…"],
    )


class KeysTold(Told):
    """Every key, oldest first."""

    rows: list[KeyTold]


def _members(key: ApiKey) -> dict[str, object]:
    plain = (name for name in KeyTold.model_fields if name not in {"scopes", "rates"})
    return {name: getattr(key, name) for name in plain} | {
        "scopes": [str(scope) for scope in key.scopes],
        "rates": print_own_rates(key.rates),
    }
