"""What a match of files is asked for, the same for memory, disk and Spark, so that they give the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matching.bulk import Teach
from matching.learning import taught_by_identifiers
from mdm.entities.model import EntityType


@dataclass(frozen=True, slots=True)
class FilesAsked:
    """Say which files to match, and how.

    column_map  column → attribute, or "" to leave it out, where names and synonyms do not tell
    parents     parent as written → its cluster, for records that are matched within their parents
    learns      identifiers in the files teach what agreement is worth; too few change nothing
    """

    patterns: Sequence[str | Path]
    entity_type: EntityType
    column_map: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] | None = None
    learns: bool = True

    @property
    def teach(self) -> Teach | None:
        """Give what gives a model other weights."""
        return taught_by_identifiers if self.learns else None
