"""Choices travel in a form and come back as they were; what is no choice is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.views.card_choices import choices_of, read_choice, with_change, written
from api.console.visit import Form
from mdm.stewardship.card_model import Choice, Pick, Typed

LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1)
CHOICES = st.one_of(
    st.integers(0, 12).map(Pick),
    LINE.map(Typed),
    st.lists(LINE, max_size=5).map(Typed),
    st.just(Typed(None)),
)


@given(choices=st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), CHOICES, max_size=5))
def test_choices_come_back_as_they_were(choices: dict[str, Choice]) -> None:
    form = Form({name: [value] for name, value in written(choices)})

    assert choices_of(form) == choices


@pytest.mark.parametrize(
    "told", ["", "pick", "pick:", "pick:-1", "pick:13", "pick:9999", "pick:1.0", "pick:٣٣", "marry:1"]
)
def test_what_is_no_choice_is_none(told: str) -> None:
    assert read_choice(told) is None


def test_nothing_typed_leaves_the_value_empty() -> None:
    assert read_choice("text:   ") == Typed(None)
    assert read_choice("list:\n \n") == Typed([])


def test_a_change_replaces_a_choice_or_takes_it_back() -> None:
    before: dict[str, Choice] = {"name": Pick(0), "note": Typed("by hand")}

    def changed(**fields: str) -> dict[str, Choice]:
        return with_change(before, Form({name: [value] for name, value in fields.items()}))

    assert changed() == before
    assert changed(attribute="name", take="pick:1") == {**before, "name": Pick(1)}
    assert changed(attribute="name", take="pick:0") == {"note": Typed("by hand")}
    assert changed(attribute="note", how="text", typed="again") == {**before, "note": Typed("again")}
    assert changed(attribute="note", how="blank") == {**before, "note": Typed(None)}
    assert changed(attribute="note", how="magic", typed="x") == {"name": Pick(0)}
