"""The macros of values and drawings write only markup of their own, whatever the values say; the specimen shows all."""

from collections import Counter
from html.parser import HTMLParser

import pytest

from tests.specimen import NASTY, page

TAGS = {
    *("html", "head", "meta", "title", "style", "body", "section", "h2", "div", "p", "span", "ul", "ol", "li"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "bdi", "mark", "code", "i"),
    *("small", "a", "svg", "desc", "g", "rect", "line", "circle", "text", "path", "polygon", "polyline"),
}  # fmt: skip


class Page(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def shown() -> Page:
    return Page(page())


def test_no_value_becomes_an_element_or_an_attribute(shown: Page) -> None:
    names = {name for _, attributes in shown.elements for name in attributes}

    assert {tag for tag, _ in shown.elements} <= TAGS
    assert not {name for name in names if name.startswith("on") or name in {"style", "src", "srcdoc", "xlink:href"}}
    assert all(address.startswith("/records/") for address in shown.attributes("href"))


def test_ids_are_unique_and_named_by_their_drawings(shown: Page) -> None:
    ids = Counter(shown.attributes("id"))

    assert set(ids.values()) == {1}
    assert {name for names in shown.attributes("aria-labelledby") for name in names.split()} <= set(ids)


def test_every_drawing_has_words_or_is_hidden_beside_them(shown: Page) -> None:
    for tag, attributes in shown.elements:
        if tag == "svg":
            spoken = {"aria-label", "aria-labelledby", "aria-hidden"} & set(attributes)
            assert spoken, attributes


def test_every_place_in_percent_is_on_the_drawing(shown: Page) -> None:
    places = [
        float(value.removesuffix("%"))
        for _, attributes in shown.elements
        for name, value in attributes.items()
        if value and value.endswith("%") and name in {"x", "x1", "x2", "cx", "width"}
    ]

    assert places
    assert all(0 <= place <= 100 for place in places)


def test_the_page_is_the_same_each_time_and_can_be_sent() -> None:
    first = page()

    assert first == page()
    first.encode()


@pytest.mark.parametrize("locale", ["de", "ar"])
def test_each_language_fits(locale: str) -> None:
    assert f'lang="{locale}" dir="{"rtl" if locale == "ar" else "ltr"}"' in page(locale=locale)


@pytest.fixture(scope="module")
def harmless() -> Page:
    return Page(page(nasty=["harmless"] * 12))


@pytest.mark.parametrize("payload", NASTY[:4])
def test_a_payload_in_every_label_stays_text(payload: str, harmless: Page) -> None:
    hostile = Page(page(nasty=[payload] * 12))

    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
