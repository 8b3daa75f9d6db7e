"""The version of a golden record as an ETag, and what If-Match expects of it.

The tag names the golden record too: a forwarded id shows its survivor, whose version may happen to be the same number.
"""

import re
from typing import Annotated, Final

from fastapi import Header

from api.errors import HttpRefusal
from mdm.ids import GoldenId

_TAG: Final = re.compile(r'"(?P<golden_id>[a-z0-9_]{3,40})\.(?P<version>[0-9]{1,9})"')

IfMatch = Annotated[
    str | None,
    Header(
        description="The ETag of the golden record as it was read: refused with 412 when it changed since."
        " Left out, or `*`, the request is carried out whatever stands.",
        examples=['"cus_01hzy3v7k2m4n6p8q0r2s4t6v8.3"'],
    ),
]


def write_etag(golden_id: str, version: int) -> str:
    """Write the tag of one version of a golden record."""
    return f'"{golden_id}.{version}"'


def read_if_match(header: str | None) -> tuple[GoldenId, int] | None:
    """Read which golden record in which version is expected, None for any; raises HttpRefusal 422."""
    if header is None or header.strip() == "*":
        return None
    found = _TAG.fullmatch(header.strip())
    if found is None:
        raise HttpRefusal(
            422,
            "request_invalid",
            "If-Match is not an ETag that this hub gave out",
            remedy="send the ETag of GET /v1/golden-records/{id} as it came, in its quotes",
            place="header if-match",
        )
    return GoldenId(found["golden_id"]), int(found["version"])
