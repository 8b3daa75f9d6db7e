"""A source instance looks the same on every page."""

from api.console.views.sources import mark_of, tone_of


def test_instances_of_one_system_share_its_colour_and_letters() -> None:
    assert tone_of("netsuite-us") == tone_of("netsuite-uk/customer:1") == tone_of("netsuite")
    assert mark_of("netsuite-us/customer:1") == "NS"
    assert len({tone_of(system) for system in ("salesforce", "certinia", "netsuite", "d365", "kantata")}) == 5


def test_a_system_of_ones_own_has_a_colour_and_letters_too() -> None:
    assert tone_of("legacy-east") == tone_of("legacy-west")
    assert mark_of("legacy-east") == "LE"
