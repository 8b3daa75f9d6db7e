"""What came in has the wrong shape."""

from collections.abc import Sequence
from dataclasses import dataclass

from mdm.errors.roots import Refused


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One reason against a field: which one, a stable code, what is wrong, what to do."""

    place: str
    code: str
    message: str
    remedy: str


class InputInvalid(Refused):
    """What came in has the wrong shape."""

    code = "input_invalid"

    def __init__(self, message: str, *, remedy: str = "", field: str = "") -> None:
        """Name the place in the input, when there is one."""
        super().__init__(message, remedy=remedy)
        self.field = field


class SourceKeyInvalid(InputInvalid):
    """A text is not a source key."""

    code = "source_key_invalid"

    def __init__(self, text: str) -> None:
        """Show the text and the shape it should have."""
        super().__init__(
            f"{text[:200]!r} is not a source key",
            remedy="write instance/object:native-id or instance/object/scope:native-id,"
            " as in salesforce-us/Account:0015g00000AbCdE",
        )
        self.text = text


class FieldsRejected(InputInvalid):
    """The fields break rules of their entity type; all of them are told."""

    code = "fields_rejected"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        """Carry every fault."""
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first.message}{more}", remedy=first.remedy, field=first.place)
        self.faults = tuple(faults)


class SettingsInvalid(InputInvalid):
    """The environment holds a setting that the hub cannot use."""

    code = "settings_invalid"


class EntityDeclarationInvalid(InputInvalid):
    """An entity declaration has faults; all of them are listed."""

    code = "entity_declaration_invalid"

    def __init__(self, faults: Sequence[str]) -> None:
        """List every fault as `file:line: what: what to write instead`."""
        super().__init__("\n".join(faults), remedy="mend the lines named above; `mdm schema` prints the JSON Schema")
        self.faults = tuple(faults)


class RecipeInvalid(InputInvalid):
    """A recipe has faults; all of them are listed."""

    code = "recipe_invalid"

    def __init__(self, faults: Sequence[str]) -> None:
        """List every fault as `file:line: what: what to write instead`."""
        super().__init__("\n".join(faults), remedy="mend the lines named above; MDM_RECIPE names the file")
        self.faults = tuple(faults)


class MatchModelInvalid(InputInvalid):
    """A match model contradicts itself or names something that does not exist."""

    code = "match_model_invalid"


class TargetDeclarationInvalid(InputInvalid):
    """The declaration of a target has faults; all of them are listed."""

    code = "target_declaration_invalid"

    def __init__(self, faults: Sequence[str], places: Sequence[tuple[str | int, ...]] = ()) -> None:
        """List every fault as `file:line: what: what to write instead`, and where each stands in the document."""
        super().__init__("\n".join(faults), remedy="mend the lines named above; `mdm schema target` prints the schema")
        self.faults = tuple(faults)
        self.places = tuple(places)


class FileUnreadable(InputInvalid):
    """A file as a whole cannot be read as what it claims to be."""

    code = "file_unreadable"

    def __init__(self, path: str, reason: str, *, remedy: str) -> None:
        """Name the file, why it cannot be read, and what to do."""
        super().__init__(f"{path}: {reason}", remedy=remedy)
        self.path = path
        self.reason = reason


class CursorInvalid(InputInvalid):
    """A page cursor was not made by this hub or was changed on the way."""

    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__("the cursor is not one that this hub gave out", remedy="start without a cursor", field="after")
