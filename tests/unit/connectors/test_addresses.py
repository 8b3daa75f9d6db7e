"""Which addresses are public: the registries' special ones, and addresses that carry another inside, are not."""

from ipaddress import ip_address, ip_network

import pytest

from mdm.connectors.addresses import is_allowed, is_public

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "192.0.1.1", "223.255.255.254", "2606:4700::1111", "2a00:1450::1"]
NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",  # carrier-grade NAT
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # where clouds give out credentials
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",  # 6to4 relays
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::7f00:1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # where clouds give out credentials
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("written", PUBLIC)
def test_an_address_of_the_open_internet_is_public(written: str) -> None:
    assert is_public(ip_address(written))


@pytest.mark.parametrize("written", NOT_PUBLIC)
def test_an_address_of_a_special_kind_is_not_public(written: str) -> None:
    assert not is_public(ip_address(written))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("fd12::1", True),
        ("fe00::1", False),
        ("::ffff:10.0.0.1", False),  # not another way to write an allowed one
        ("fd12::1%eth0", False),
    ],
)
def test_an_allowed_network_lets_its_own_addresses_pass_and_no_others(written: str, expected: bool) -> None:
    assert is_allowed(ip_address(written), [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]) == expected
