"""Every text of the console stands in each catalogue, with the same places to fill in, and nothing else does."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import api.console

CONSOLE = Path(api.console.__path__[0])
LANGUAGES = sorted(folder.name for folder in (CONSOLE / "locale").iterdir() if folder.is_dir())
PLACES = re.compile(r"%\((\w+)\)[sd]")
Text = str | tuple[str, ...]


@pytest.fixture(scope="module")
def messages() -> set[Text]:
    with (CONSOLE / "locale" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, "N_": None, "text": None}
    found = extract_from_dir(CONSOLE, methods, options, keywords)
    return {message for _, _, message, *_ in found}


def catalogue(language: str) -> Catalog:
    return read_po(BytesIO((CONSOLE / "locale" / language / "LC_MESSAGES" / "console.po").read_bytes()), language)


def said_in(message: Message) -> list[str]:
    """Give what a message is translated to: one text, or one for each plural."""
    return [message.string] if isinstance(message.string, str) else [str(each) for each in message.string or ()]


def places(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_the_console_is_translated(language: str, messages: set[Text]) -> None:
    known = {
        message.id if isinstance(message.id, str) else tuple(message.id)
        for message in catalogue(language)
        if message.id and all(said_in(message))
    }

    assert not (missing := messages - known), f"run `make words` and translate: {sorted(map(str, missing))[:20]}"
    assert not (left := known - messages), f"run `make words`, nobody says this any more: {sorted(map(str, left))[:20]}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_text_fills_in(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        for one in said_in(message):
            assert places(one) in [places(text) for text in texts], message.id
