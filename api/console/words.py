"""The words of the console in the reader's language: one catalogue a language, English in the source itself."""

import io
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

SOURCE_LANGUAGE: Final = "en"
_FOLDER: Final = files("api.console") / "locale"


def _catalogues() -> Mapping[str, NullTranslations]:
    """Compile the catalogues when the process starts: what is served is what stands in the files."""
    found: dict[str, NullTranslations] = {SOURCE_LANGUAGE: NullTranslations()}
    for folder in sorted(_FOLDER.iterdir(), key=lambda each: each.name):
        file = folder / "LC_MESSAGES" / "console.po"
        if file.is_file():
            compiled = io.BytesIO()
            write_mo(compiled, read_po(io.BytesIO(file.read_bytes()), locale=folder.name))
            compiled.seek(0)
            found[folder.name] = Translations(compiled)
    return found


CATALOGUES: Final = _catalogues()
LANGUAGES: Final[tuple[str, ...]] = tuple(CATALOGUES)


def language_for(wanted: str | None, accepted: str) -> str:
    """Choose a language: the one that somebody chose, else the first that the browser accepts and we have."""
    if wanted in CATALOGUES:
        return str(wanted)
    for part in accepted[:200].split(","):
        language = part.partition(";")[0].strip().lower().partition("-")[0]
        if language in CATALOGUES:
            return language
    return SOURCE_LANGUAGE


def language_names() -> list[tuple[str, str]]:
    """List the languages, each by its own name."""
    return [(code, (Locale(code).get_display_name(code) or code).capitalize()) for code in LANGUAGES]
