"""One golden version as a message: a CloudEvents envelope in its JSON form."""

from typing import Any

import orjson
from sqlalchemy import Row

from mdm.connectors.model import Message


def envelope_of(row: Row[Any]) -> Message:
    """Write the message of a golden version; its id is the same for every attempt."""
    body = orjson.dumps({"id": f"{row.golden_id}.{row.version}"})
    return Message(f"{row.golden_id}.{row.version}", row.kind, row.entity_type, row.golden_id, body)
