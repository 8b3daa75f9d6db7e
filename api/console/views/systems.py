"""Source instances as people know them: the title, two letters, and one colour on every page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from api.console.drawings.described import tone
from api.console.views.vocabulary import mark
from mdm.sources.model import SourceInstance

# The colour of a system is the same on every page; systems of one's own take one that their name always gives.
_TONES: Final[Mapping[str, str]] = {
    "salesforce": "c1",
    "certinia": "c2",
    "netsuite": "c3",
    "d365": "c4",
    "kantata": "c5",
    "crm": "c6",
    "hub": "c7",
}


@dataclass(frozen=True, slots=True)
class SystemShown:
    """A source instance in a line of a page."""

    source: str
    title: str
    mark: str
    tone: str


def system_shown(source: str, titles: Mapping[str, str]) -> SystemShown:
    """Show a source instance; one that is not registered is named by its id."""
    system = source.partition("-")[0]
    return SystemShown(
        source, titles.get(source) or source, mark(system), _TONES.get(system) or tone(sum(map(ord, system)))
    )


def titles_of(instances: Iterable[SourceInstance]) -> dict[str, str]:
    """Give the title of each instance by its id."""
    return {one.id: one.title for one in instances}
