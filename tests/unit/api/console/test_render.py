"""Constant words of a template are said when it is compiled, in the language of its environment."""

from jinja2 import DictLoader

from api.console.render import environment


def said(language: str, source: str, **values: object) -> str:
    made = environment(language).overlay(loader=DictLoader({"page": source}))
    return made.get_template("page").render(**values)


def test_constant_words_stand_in_the_compiled_template() -> None:
    german = environment("de").overlay()
    compiled = german.compile('<b>{{ _("Merge") }}</b>', raw=True)

    assert "<b>Zusammenführen</b>" in compiled
    assert said("en", '<b>{{ _("Merge") }}</b>') == "<b>Merge</b>"


def test_a_quote_in_words_does_not_end_an_attribute() -> None:
    assert said("en", """<p title='{{ _("Nobody's work any more") }}'>""") == "<p title='Nobody&#39;s work any more'>"


def test_words_are_chosen_among_and_handed_on_as_before() -> None:
    source = '{% macro b(words) %}<b>{{ words }}</b>{% endmacro %}{{ b(_("Merge") if yes else _("Review")) }}'

    assert said("de", source, yes=True) == "<b>Zusammenführen</b>"


def test_words_with_values_are_filled_in_and_escaped() -> None:
    assert said("de", '{{ _("%(percent)s%% done", percent=share) }}', share="<7") == "&lt;7 % erledigt"
    assert said("en", '{{ _("100%% of it") }}') == "100% of it"
