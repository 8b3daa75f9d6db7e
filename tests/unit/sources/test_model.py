"""Source keys: what is printed is read back as the same key, whatever systems put into it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.errors import SourceKeyInvalid
from mdm.sources.model import NATIVE_ID_LENGTH_MAX, SourceKey

# Everything a system may send but NUL and halves of characters, which no text column keeps.
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
places = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/:"), min_size=1, max_size=100)
keys = st.builds(
    SourceKey,
    instance=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    object=places,
    scope=st.just("") | places,
    native_id=st.text(letters, min_size=1, max_size=NATIVE_ID_LENGTH_MAX),
)


@given(keys)
def test_a_printed_key_is_read_back_as_the_same_key(key: SourceKey) -> None:
    assert SourceKey.parse(str(key)) == key


@given(st.text(max_size=300))
def test_any_text_is_a_key_that_prints_the_same_or_is_refused(text: str) -> None:
    try:
        key = SourceKey.parse(text)
    except SourceKeyInvalid:
        return
    assert str(key) == text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("salesforce-us/Account:0015g00000AbCdE", ("salesforce-us", "Account", "", "0015g00000AbCdE")),
        ("d365-emea/customer/usmf:C001", ("d365-emea", "customer", "usmf", "C001")),
        ("erp/customer:a/b:c", ("erp", "customer", "", "a/b:c")),
        ("erp/customer/de:a:b/c", ("erp", "customer", "de", "a:b/c")),
        ("erp/customer: 7 ", ("erp", "customer", "", " 7 ")),
        ("erp/customer:a\nb", ("erp", "customer", "", "a\nb")),
        ("erp/Kunde:Ärger'--", ("erp", "Kunde", "", "Ärger'--")),
    ],
)
def test_a_key_is_split_at_the_first_colon_and_its_native_id_kept_as_it_is(
    text: str, key: tuple[str, str, str, str]
) -> None:
    assert SourceKey.parse(text) == SourceKey(*key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "erp",
        "erp/customer",
        "erp/customer:",
        "erp/:7",
        "/customer:7",
        "erp/customer/:7",
        "erp/customer/de/x:7",
        "Erp/customer:7",
        "-erp/customer:7",
        "erp one/customer:7",
        "e" * 64 + "/customer:7",
        "erp/" + "o" * 101 + ":7",
        "erp/customer:" + "7" * (NATIVE_ID_LENGTH_MAX + 1),
        "erp/customer:7\0",
        "erp/custo\0mer:7",
        "erp/customer:\ud800",
        "erp/customer/\udfff:7",
        "x" * 100_000,
    ],
)
def test_what_is_no_key_is_refused_with_the_shape_that_one_has(text: str) -> None:
    with pytest.raises(SourceKeyInvalid, match="is not a source key") as refused:
        SourceKey.parse(text)

    assert len(refused.value.message) < 3_000
    assert "instance/object:native-id" in refused.value.remedy


def test_the_longest_native_id_fits() -> None:
    assert len(SourceKey.parse("erp/customer:" + "7" * NATIVE_ID_LENGTH_MAX).native_id) == NATIVE_ID_LENGTH_MAX
