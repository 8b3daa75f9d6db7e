"""The address of the queue: read strictly, written back, and the same after it was kept."""

import pytest

from api.console.views.queue_filter import Chosen, asked_of, chosen_in, read_chosen, share_of, to_keep
from mdm.errors import InputInvalid

TYPES = ("customer", "project")


def test_a_bound_in_percent_covers_all_that_is_shown_as_that_percent() -> None:
    low, high = asked_of(Chosen(low="94", high="94"), TYPES).filter.bits

    assert low is not None
    assert high is not None
    # 93.5 % are odds of 14.38 to 1, 94.5 % of 17.18 to 1: 3.846 and 4.103 bits.
    assert (round(low, 3), round(high, 3)) == (3.846, 4.103)
    assert [round(100 * share_of(bits)) for bits in (low + 1e-6, 4.0, high - 1e-6)] == [94, 94, 94]


@pytest.mark.parametrize(
    "chosen",
    [
        Chosen(),
        Chosen(type="customer", kind="join", source="crm-east", low="1", high="99"),
        Chosen(due="overdue", whose="mine", waiting="yes", by="oldest"),
        Chosen(due="week", whose="free", waiting="no", by="riskiest", low="50"),
    ],
    ids=lambda chosen: chosen.query or "any",
)
def test_what_is_kept_says_the_same_when_it_is_opened(chosen: Chosen) -> None:
    assert chosen_in(to_keep(chosen, TYPES)) == chosen
    assert read_chosen(dict(pair.split("=") for pair in chosen.query.split("&") if pair), TYPES) == chosen


def test_every_percent_comes_back() -> None:
    for percent in map(str, range(1, 100)):
        chosen = Chosen(low=percent, high=percent)
        assert chosen_in(asked_of(chosen, ("customer",))).low == percent
        assert chosen_in(asked_of(chosen, ("customer",))).high == percent


def test_a_queue_that_names_no_type_is_kept_without_the_limits_of_its_owner_but_shown_within_them() -> None:
    assert to_keep(Chosen(), ("customer",)).filter.entity_types == ()
    assert asked_of(Chosen(), ("customer",)).filter.entity_types == ("customer",)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"type": "contract"}, "type"),
        ({"low": "0"}, "low"),
        ({"high": "100"}, "high"),
        ({"low": "\u0665"}, "low"),  # a digit of another script
        ({"low": "60", "high": "59"}, "low"),
        ({"due": "soon"}, "due"),
    ],
)
def test_a_part_that_is_not_understood_is_refused_by_name(said: dict[str, str], field: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        read_chosen(said, TYPES)

    assert refused.value.field == field
