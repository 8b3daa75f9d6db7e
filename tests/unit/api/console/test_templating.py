"""Templates escape what they show as Jinja and markupsafe do, by our shorter way."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import DictLoader, Environment
from markupsafe import Markup, escape

from api.console.render import PageEnvironment
from api.console.templating import counting, shown, speaking

SHOWN = ["", "plain", "a & b", "<script>alert('x')</script>", '" onload="', "größe", "<", 7, -1.5, True, None]
SHOWN += [Markup("<b>x</b>"), Decimal("1.50"), SimpleNamespace(name="<i>"), ["<i>"]]
TEMPLATE = """{% macro cell(value, class="x") %}<td class="{{ class }}">{{ value }}</td>{% endmacro %}
{% for one in values %}{{ cell(one) }}{{ cell(one, class=one) }}{{ one.__class__.__name__ }}{{ loop.index }}{% endfor %}
{{ text.upper() }}{{ "{}<".format(text) }}{{ text ~ "<" }}{{ range(3) | join("<") }}{{ text | e }}{{ text | safe }}
{% autoescape false %}{{ text }}{% endautoescape %}"""


@pytest.mark.parametrize("value", SHOWN, ids=repr)
def test_a_value_is_escaped_as_markupsafe_escapes_it(value: object) -> None:
    assert shown(value) == escape(value)


def test_a_template_says_the_same_as_in_plain_jinja() -> None:
    context: dict[str, Any] = {"values": SHOWN[:-2], "text": "<&'\">"}
    ours, theirs = (
        kind(loader=DictLoader({"t": TEMPLATE}), autoescape=True) for kind in (PageEnvironment, Environment)
    )

    assert ours.get_template("t").render(context) == theirs.get_template("t").render(context)


def test_values_in_words_of_the_catalogue_are_escaped() -> None:
    said, counted = speaking(lambda words: words), counting(lambda one, many, num: one if num == 1 else many)

    assert said("%(name)s is <b>here</b>, 100 %%", name="<i>") == "&lt;i&gt; is <b>here</b>, 100 %"
    assert counted("%(num)s <%(what)s>", "%(num)s many", 1, what="&") == "1 <&amp;>"
    assert isinstance(escape(said("<b>")), Markup)
    assert escape(said("<b>")) == "<b>"
