"""Shapes of the health routes."""

from typing import Literal

from pydantic import Field

from api.schemas.shape import Told


class AliveTold(Told):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyTold(Told):
    """Whether this process can do its work now."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str] = Field(
        description="`ok`, or what is wrong, by check.", examples=[{"database": "ok", "schema": "ok"}]
    )
