"""How templates are run: as Jinja runs them, letter for letter, with less work for each value that is shown.

A page of a thousand values spent more on being asked what each of them is than on putting it there: of a review card
that was a sixth of the time in the server (November 2026). Values are escaped as ever; `shown` is markupsafe's own
`escape` with the two kinds that nearly all values are of taken first.
"""

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Final

from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

_PASSED: Final = (
    "_loop_vars",
    "_block_vars",
)  # what compiled templates give along for functions that ask for a context


def shown(value: object) -> str:
    """Escape a value for a page."""
    kind = type(value)
    if kind is str:
        text: str = value  # type: ignore[assignment]
        if text.isalnum():
            return text
        text = text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
        return text.replace("'", "&#39;").replace('"', "&#34;")
    if kind is Markup:
        return value  # type: ignore[return-value]
    if kind is int or kind is float:
        return str(value)
    return escape(value)


class Generator(CodeGenerator):
    """Compiles templates so that what they put out goes through `shown`."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.shown(")


class Called(Context):
    """Calls plain functions, methods and macros at once; Jinja asks of each whether it wants to be given a context."""

    def call(self, called: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        """Call something that a template names."""
        kind = type(called)
        if kind is Macro:
            _drop(named)
            return called(self.eval_ctx, *args, **named)
        if kind is MethodType or (kind is FunctionType and not hasattr(called, "jinja_pass_arg")):
            _drop(named)
            return called(*args, **named)
        return super().call(called, *args, **named)


def speaking(gettext: Callable[[str], str]) -> Callable[..., Markup]:
    """Make the `_` of templates: words of the catalogue, with values in them that are escaped."""

    def said(words: str, /, **values: object) -> Markup:
        return Markup(gettext(words) % {name: shown(value) for name, value in values.items()})  # noqa: S704 -- ours

    return said


def counting(ngettext: Callable[[str, str, int], str]) -> Callable[..., Markup]:
    """Make the `ngettext` of templates, which has the number at hand as `num`."""

    def said(one: str, many: str, num: int, /, **values: object) -> Markup:
        told = {name: shown(value) for name, value in {"num": num, **values}.items()}
        return Markup(ngettext(one, many, num) % told)  # noqa: S704 -- ours

    return said


def _drop(named: dict[str, Any]) -> None:
    for name in _PASSED:
        named.pop(name, None)
