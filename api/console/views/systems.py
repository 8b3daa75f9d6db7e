"""Source instances as people know them: the title, two letters, and one colour on every page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from api.console.views.sources import mark_of, tone_of
from mdm.sources.model import SourceInstance


@dataclass(frozen=True, slots=True)
class SystemShown:
    """A source instance in a line of a page."""

    source: str
    title: str
    mark: str
    tone: str


def system_shown(source: str, titles: Mapping[str, str]) -> SystemShown:
    """Show a source instance; one that is not registered is named by its id."""
    return SystemShown(source, titles.get(source) or source, mark_of(source), tone_of(source))


def titles_of(instances: Iterable[SourceInstance]) -> dict[str, str]:
    """Give the title of each instance by its id."""
    return {one.id: one.title for one in instances}
