"""Native keys look as their systems make them."""

from mdm.demo.landscape import salesforce_id


def test_a_salesforce_id_ends_in_the_suffix_that_tells_its_capitals() -> None:
    """a1P8d | 00000 | 00001: one capital at position 2 of the first five gives 2**2 = 4, the fifth letter: E."""
    assert salesforce_id("a1P", "certinia", 1) == "a1P8d0000000001EAA"
