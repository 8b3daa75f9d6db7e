"""No spelling, name, answer or environment leads a call to an address that is denied: traps listen there and count."""

import socket
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from mdm.connectors.addresses import AddressDenied, Call, GuardedBackend
from mdm.connectors.http import HttpClient, Timeouts, failure_of
from mdm.connectors.model import CallFailed, Failure
from mdm.settings import Settings
from tests.misbehaving import MisbehavingServer, answering, misbehaving_server, trap

PATIENT = Timeouts(connect_s=10, silence_s=10, total_s=10)

# Each leads to this machine, or to somewhere inside, or is none; the port is that of a trap.
HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.8.8.8",
    "2130706433",  # decimal
    "0x7f000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "017700000001",  # octal
    "0177.0.0.1",
    "0177.1",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",  # circled digits, which IDNA turns into plain ones
    "127。0。0。1",  # full stops of another script
    "１２７.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001::7f00:1]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25lo]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",  # where clouds give out credentials
    "0xa9.0xfe.0xa9.0xfe",
    "2852039166",
    "100.64.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "1.1.1.1@127.0.0.1",  # credentials, and then the host
    "example.com:443@127.0.0.1",
    "example.com%40127.0.0.1",
    "127.0.0.1%2f.example.com",
    "127.0.0.1#.example.com",
    "127.0.0.1\\.example.com",
    "127.0.0.1?.example.com",
    "127.0.0.1;.example.com",
    "127.0.0.1\t",
    "127.0.0.1\r\nHost: example.com",
    "127.0.0.1\x00.example.com",
]


@pytest.fixture
def trapped() -> Iterator[MisbehavingServer]:
    """Listen where nobody may come: on every address of this machine."""
    with misbehaving_server(trap, is_everywhere=True) as server:
        yield server


def refused(client: HttpClient, url: str) -> Failure:
    with pytest.raises(CallFailed) as failed:
        client.send("POST", url, body=b"{}")
    return failed.value.failure


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_denied_address_reaches_it(trapped: MisbehavingServer, scheme: str) -> None:
    client = HttpClient(allowed=Settings().outgoing_networks, timeouts=PATIENT, resolve=system_without_network)

    outcomes = {host: refused(client, f"{scheme}://{host}:{trapped.port}/latest/meta-data/").kind for host in HOSTS}

    client.close()
    assert trapped.visits == 0
    assert {host for host, kind in outcomes.items() if kind not in {"not_allowed", "unavailable"}} == set()
    # Only what is no name and no address to the resolver is unavailable; every other was judged, and denied.
    assert {host for host, kind in outcomes.items() if kind == "unavailable"} <= UNRESOLVABLE


UNRESOLVABLE = {"[::1%lo]", "[::1%25lo]", "[fe80::1%25lo]", "[fe80::1%25eth0]", "example.com%40127.0.0.1"} | {
    "127.0.0.1%2f.example.com",
    "127.0.0.1;.example.com",
    "127.0.0.1\\.example.com",
}


def system_without_network(host: str, port: int) -> list[str]:
    """Resolve by the system what it can without asking a server; a full stop at the end is the root, as to many."""
    if host.endswith(".example.com") or "%" in host:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [str(place[0]) for *_, place in socket.getaddrinfo(host.rstrip("."), port, type=socket.SOCK_STREAM)]


def test_the_traps_count_whoever_is_let_through(trapped: MisbehavingServer) -> None:
    """What the other tests see is worth something only if a trap notices."""
    client = HttpClient(allowed=[ip_network("127.0.0.0/8")], timeouts=PATIENT)

    failure = refused(client, f"http://0x7f.1:{trapped.port}/")

    client.close()
    assert failure.kind == "unclear"
    assert trapped.visits == 1


@pytest.mark.parametrize(
    "host", ["①②⑦.⓪.⓪.①", "127。0。0。1", "0x7f.1", "2130706433", "localhost", "::1", "fe80::1%lo"]
)
def test_the_backend_judges_also_what_no_reading_of_an_address_has_cleaned(
    trapped: MisbehavingServer, host: str
) -> None:
    backend = GuardedBackend(())
    with backend.calling(Call(ends_at=time.monotonic() + 10, is_plain=False)), pytest.raises(AddressDenied):
        backend.connect_tcp(host, trapped.port)

    assert trapped.visits == 0


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "127.0.0.1"],
        ["127.0.0.1", "1.1.1.1"],
        ["1.1.1.1", "::ffff:127.0.0.1"],
        ["1.1.1.1", "2606:4700::1111", "fe80::1%lo"],
        ["1.1.1.1"] * 10 + ["10.0.0.1"],
        ["1.1.1.1", "no address"],
        ["64:ff9b::7f00:1"],
    ],
)
def test_one_denied_address_in_an_answer_denies_the_name(trapped: MisbehavingServer, answer: list[str]) -> None:
    client = HttpClient(timeouts=PATIENT, resolve=lambda _host, _port: answer)

    failure = refused(client, f"https://hooks.example.com:{trapped.port}/")

    client.close()
    assert failure == Failure(
        "not_allowed",
        "hooks.example.com leads to an address that is not public; MDM_OUTGOING_NETWORKS names what may be called yet",
    )
    assert trapped.visits == 0


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
def test_a_name_that_answers_otherwise_the_second_time_gains_nothing(trapped: MisbehavingServer) -> None:
    """127.0.0.1 is allowed here and stands for the good address, 127.0.0.2 is what the name turns to."""
    asked: list[str] = []

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) % 2 else ["127.0.0.2"]

    with misbehaving_server(answering("200 OK", "Connection: close")) as good:
        client = HttpClient(allowed=[ip_network("127.0.0.1/32")], timeouts=PATIENT, resolve=rebind)

        first = client.send("POST", f"http://hooks.example.com:{good.port}/", body=b"{}")
        second = refused(client, f"http://hooks.example.com:{trapped.port}/")

        client.close()
        assert (first.status, second.kind) == (200, "not_allowed")
        assert asked == ["hooks.example.com"] * 2  # once for each connection: what was judged is what was dialled
        assert good.visits == 1
    assert trapped.visits == 0


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_a_denied_address_is_not_followed(trapped: MisbehavingServer, status: int) -> None:
    location = f"Location: http://127.0.0.2:{trapped.port}/"
    with misbehaving_server(answering(f"{status} X", location)) as good:
        client = HttpClient(allowed=[ip_network("127.0.0.1/32")], timeouts=PATIENT)

        failure = failure_of(client.send("POST", f"http://127.0.0.1:{good.port}/", body=b"{}"))

        client.close()
        assert failure is not None
        assert failure.kind == "moved"
    assert trapped.visits == 0


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
def test_a_proxy_of_the_environment_is_not_asked(trapped: MisbehavingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{trapped.port}")
        monkeypatch.setenv(name.lower(), f"http://127.0.0.2:{trapped.port}")

    with misbehaving_server(answering("200 OK")) as good:
        client = HttpClient(allowed=[ip_network("127.0.0.1/32")], timeouts=PATIENT)

        assert client.send("GET", f"http://127.0.0.1:{good.port}/").status == 200

        client.close()
    assert trapped.visits == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://1.1.1.1/", "write https:// and a host"),
        ("file:///etc/passwd", "write https:// and a host"),
        ("gopher://127.0.0.1:6379/_", "write https:// and a host"),
        ("unix:///run/mdm.sock", "write https:// and a host"),
        ("https:///path", "write https:// and a host"),
        ("hooks.example.com", "write https:// and a host"),
        ("", "write https:// and a host"),
        ("https://ann:secret@hooks.example.com/", "credentials do not belong there"),
        ("https://hooks.example.com:25/", "port 25 is not called; 80, 443 and those from 1024 up are"),
        ("https://hooks.example.com:22/", "port 22 is not called; 80, 443 and those from 1024 up are"),
        ("https://hooks.example.com:1023/", "port 1023 is not called; 80, 443 and those from 1024 up are"),
        ("https://hooks.example.com:0/", "port 0 is not called; 80, 443 and those from 1024 up are"),
        ("https://hooks.example.com:99999/", "port 99999 is not called; 80, 443 and those from 1024 up are"),
        ("https://[1.1.1.1]/", "it cannot be read"),
    ],
)
def test_an_address_that_is_none_stops_the_target_and_says_why(url: str, why: str) -> None:
    client = HttpClient(resolve=lambda _host, _port: ["1.1.1.1"])

    assert refused(client, url) == Failure("not_allowed", f"the address of the target cannot be called: {why}")


def test_without_tls_only_allowed_networks_are_called() -> None:
    client = HttpClient(allowed=[ip_network("127.0.0.1/32")], resolve=lambda _host, _port: ["1.1.1.1"])

    assert refused(client, "http://hooks.example.com/") == Failure(
        "not_allowed", "hooks.example.com is public, and called with TLS only"
    )


def test_a_socket_file_is_never_dialled() -> None:
    with pytest.raises(AddressDenied):
        GuardedBackend([ip_network("127.0.0.0/8")]).connect_unix_socket("/run/docker.sock")
