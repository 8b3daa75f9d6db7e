"""What a match of files is asked for, the same for memory, disk and Spark, so that they give the same answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matching.bulk import Teach
from matching.learning import taught_by_identifiers
from matching.model import MatchModel
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

    def weights(self, model: MatchModel) -> dict[str, Any]:
        """Say how the bits of the model that was used came to be, and which levels are worth other than declared.

        origin  declared; learnt; or too_few_identifiers, which left them as declared
        """
        changed = {
            declared.name: {
                level.label: {"declared": level.bits, "used": used.bits}
                for level, used in zip(declared.levels, taught.levels, strict=True)
                if used.bits != level.bits
            }
            for declared, taught in zip(self.entity_type.model.comparisons, model.comparisons, strict=True)
        }
        changed = {name: levels for name, levels in changed.items() if levels}
        origin = "learnt" if changed else "too_few_identifiers" if self.learns else "declared"
        return {"origin": origin, "changed": changed}

    def lacking_names(self, filled: Collection[str]) -> tuple[str, ...]:
        """Name the attributes that matching knows a record by, where files fill none of these; else nothing."""
        features = self.entity_type.model.features
        named = tuple(dict.fromkeys(path.partition(".")[0] for path in features[0].attributes)) if features else ()
        parts = [part for name in named if (one := self.entity_type.attributes.get(name)) for part in one.composed_of]
        return () if any(name in filled for name in (*named, *parts)) else named

    @property
    def teach(self) -> Teach | None:
        """Give what gives a model other weights."""
        return taught_by_identifiers if self.learns else None
