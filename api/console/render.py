"""Pages from templates: one environment a language, a strict policy with every answer, nothing unescaped."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from api.console.assets import asset_url
from api.console.navigation import PAGES
from api.console.templating import Called, Generator, counting, shown, speaking
from api.console.views.filters import FILTERS
from api.console.views.sentences import told
from api.console.views.words import Words, words
from api.console.visit import Visit
from api.console.words import CATALOGUES, language_names

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_CALL: Final = ("name", "lparen", "string", "rparen")
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "vary": "HX-Request, Cookie",
}


class PageEnvironment(Environment):
    """Jinja's environment, with its own way to run templates."""

    code_generator_class = Generator
    context_class = Called
    shown = staticmethod(shown)


class Spoken(Extension):
    """Says constant words while a template is compiled, as an environment speaks one language.

    `_("Merge")` becomes the words, and so a part of the text around them; looking them up while a page is filled in
    took a sixth of its time. Words with values in them are left to gettext.
    """

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Put the words of the catalogue in place of each call that holds a text and nothing else."""
        tokens, place = list(stream), 0
        while place < len(tokens):
            called = tokens[place : place + len(_CALL)]
            if called[0].test("name:_") and tuple(token.type for token in called) == _CALL:
                words = str(self.environment.gettext_of(called[2].value)) % {}  # type: ignore[attr-defined]
                yield Token(called[0].lineno, "string", words)
                place += len(_CALL)
            else:
                yield called[0]
                place += 1


@cache
def environment(language: str) -> Environment:
    """Return the environment of a language, with its catalogue installed."""
    made = PageEnvironment(
        loader=FileSystemLoader(str(files("api.console") / "templates")),
        autoescape=True,
        auto_reload=False,  # what is served is what stood in the files when the process started, as the words are
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", Spoken],
    )
    made.extend(gettext_of=CATALOGUES[language].gettext)
    made.install_gettext_translations(CATALOGUES[language], newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {**FILTERS, "told": lambda sentence: told(str(sentence), CATALOGUES[language].gettext)}
    made.globals |= {
        "_": speaking(CATALOGUES[language].gettext),
        "ngettext": counting(CATALOGUES[language].ngettext),
        "asset_url": asset_url,
        "language": language,
        "words": words(language, CATALOGUES[language].gettext),
        "languages": language_names(),
        "PAGES": PAGES,
    }
    return made


def words_of(visit: Visit) -> Words:
    """Give the words of the visitor's language, for what a view says before a template does."""
    return words(visit.language, CATALOGUES[visit.language].gettext)


def text_of(visit: Visit, template: str, **context: Any) -> str:
    """Fill in a template for a visit."""
    return environment(visit.language).get_template(template).render(visit=visit, **context)


def page(
    visit: Visit, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> Response:
    """Answer a visit with a page, or with a part of one."""
    body = text_of(visit, template, **context)
    return Response(body, status, media_type="text/html; charset=utf-8", headers={**_HEADERS, **(headers or {})})


def redirect(visit: Visit, url: str) -> Response:
    """Send a visit elsewhere: after a form with 303, or by htmx where that asked."""
    assert url[:1] == "/" != url[1:2], "only to pages of our own"
    if visit.is_part:
        return Response(status_code=204, headers={**_HEADERS, "hx-redirect": url})
    return Response(status_code=303, headers={**_HEADERS, "location": url})
