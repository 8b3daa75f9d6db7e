"""How a source instance looks on a page: the colour of its system and two letters, the same wherever it stands."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from api.console.drawings.described import tone
from api.console.views.vocabulary import mark

_KEPT_MAX: Final = 1_000  # chosen: more instances than a hub has; a page tells of a few of them in every line

# The colour of a system is the same on every page; systems of one's own take one that their name always gives.
_TONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "salesforce": "c1",
        "certinia": "c2",
        "netsuite": "c3",
        "d365": "c4",
        "kantata": "c5",
        "crm": "c6",
        "hub": "c7",
    }
)


@lru_cache(_KEPT_MAX)
def tone_of(source: str) -> str:
    """Give the colour of a source instance, or of a printed key: that of its system, or one its name always gets."""
    system = source.partition("/")[0].partition("-")[0]
    return _TONES.get(system) or tone(sum(map(ord, system)))


@lru_cache(_KEPT_MAX)
def mark_of(source: str) -> str:
    """Give the two letters of a source instance, or of a printed key: those of its system."""
    return mark(source.partition("/")[0].partition("-")[0])
