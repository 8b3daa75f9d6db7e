"""The patterns of names and ids in declarations, and what to write where one does not fit."""

from collections.abc import Mapping
from typing import Final

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
ID_PREFIX_PATTERN: Final = r"^[a-z]{2,8}$"
ID_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
WHOM_PATTERN: Final = r"^(group:)?[\w.@ ()-]{1,100}$"

REMEDY_BY_PATTERN: Final[Mapping[str, str]] = {
    NAME_PATTERN: "write lower-case letters, digits and _, at most 63, beginning with a letter",
    ID_PREFIX_PATTERN: "write two to eight lower-case letters",
    ID_PATTERN: "write lower-case letters, digits and -, at most 63, beginning with a letter or digit",
    WHOM_PATTERN: "write a person as the hub names them, or group:NAME",
}
