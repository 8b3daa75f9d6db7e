"""Many web and e-mail addresses at once: the same forms as one by one."""

from hypothesis import example, given
from hypothesis import strategies as st

from matching.standardise import contact
from matching.standardise.host_lines import domain_lines, email_lines
from matching.standardise.written import Written
from tests.unit.matching.standardise.test_lines import tuples

HOST_PARTS = (
    "acme",
    "www.",
    "co",
    "uk",
    "com",
    "de",
    "ck",
    "www",
    "kobe",
    "city",
    "jp",
    "github.io",
    "gmail",
    "example",
)
ADDRESS_PARTS = (*HOST_PARTS, "http://", "mailto:", "//", ":8080", "noreply", "b" * 63, "A1", "é", *".....-_/@@?#: +>1")
ADDRESSES = st.lists(st.lists(st.sampled_from(ADDRESS_PARTS), max_size=9).map("".join))


@given(ADDRESSES)
@example(
    [
        "https://www.acme.co.uk/a",
        "acme.com.br",
        "co.uk",
        "www.ck",
        "x.ck",
        "a.b.city.kobe.jp",
        "me.github.io",
        "8.8.8.8",
    ]
)
@example(
    ["mail.acme.com:8080/x", "info@acme.de", "gmail.com", "linkedin.com/company/acme", "acme..de", "-a.de", "a-.de"]
)
@example(
    ["www.www.acme.de", "acme.de.", ".acme.de", " acme.de", "acme", "/", "müller.de", "xn--mller-kva.de", "acme.中国"]
)
@example(
    [
        "b" * 64 + ".de",
        "a." + "b" * 64,
        "a.b_c.de",
        "a_b.c.de",
        "localhost:80",
        "x" * 501,
        "HTTP://ACME.DE",
        "acme.de/ü",
    ]
)
@example(
    ["x.pg", "a.x.pg", "foo.compute.amazonaws.com", "a.b.compute.amazonaws.com", "facebook.com", "x.wordpress.com"]
)
def test_many_domains_are_those_of_one(values: list[str]) -> None:
    assert tuples(domain_lines(values, Written.of(values))) == [contact.domain(value, "") for value in values]


@given(ADDRESSES)
@example(
    ["info@acme.de", "Info+x@Acme.de", "a.b@gmail.com", "a@googlemail.com", "noreply@acme.de", "x@example.com", "@a.de"]
)
@example(
    ["a@b", "a@b.c", "a@b.c1", "a@b.1c", "a@b.co-", "a@-b.de", "a b@c.de", "<a@b.de>", "a@b@c.de", "..@a.de", "_@a.de"]
)
@example(["mailto:a@b.de", "é@b.de", "a@é.de", " a@b.de", "a@b_c.de", "-@b.de", "a@" + "b" * 70 + ".de", "a@b..de"])
def test_many_mail_addresses_are_those_of_one(values: list[str]) -> None:
    assert tuples(email_lines(values, Written.of(values))) == [contact.email(value, "") for value in values]
