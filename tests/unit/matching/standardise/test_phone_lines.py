"""Many telephone numbers at once: the same forms as one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from matching.standardise import contact
from matching.standardise.phone_lines import phone_lines
from matching.standardise.written import Written
from tests.unit.matching.standardise.test_lines import tuples

IN_COUNTRY = st.sampled_from(("", "de", "us", "gb", "fr", "it", "ru", "hu", "ar", "br", "lt", "sm", "mx", "jp"))
FIRST_DIGITS = ("1", "49", "44", "7", "36", "39", "54", "8", "06", "0", "00", "011", "(0)", "020", "221")
PHONE_PARTS = (*FIRST_DIGITS, "7946", "0958", "123456", "5550123", "0000", "ext", "x12", "abcd", *"+)-./#é½ ")
PHONES = st.lists(st.tuples(st.lists(st.sampled_from(PHONE_PARTS), max_size=8).map("".join), IN_COUNTRY))


@given(PHONES)
@example(
    [("+44 (0)20 7946 0958", ""), ("0044 20 7946 0958", "de"), ("011 44 20 7946 0958", "us"), ("(0)(0)123456", "")]
)
@example([("5000000012", ""), ("1234567890", "us"), ("+1 222 222 2222", ""), ("000000", ""), ("221 1234567 (0", "de")])
@example(
    [("0)123456", "de"), (" +49 221 1234567", ""), ("1" * 101, "de"), ("8 495 1234567", "ru"), ("54 11 1234 5678", "")]
)
@example(
    [("+", "de"), ("(0)", "us"), ("555-0123", "us"), ("06 1 234 5678", "hu"), ("0115556789", "it"), ("٣٤٥٦٧٨٩", "")]
)
def test_many_telephone_numbers_are_those_of_one(told: list[tuple[str, str]]) -> None:
    values, countries = [value for value, _ in told], [country for _, country in told]

    assert tuples(phone_lines(values, countries, Written.of(values))) == [contact.phone(*pair) for pair in told]
