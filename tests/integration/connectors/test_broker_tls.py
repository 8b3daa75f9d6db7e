"""A broker with a certificate of its own is spoken to under TLS where its signer is named, and not at all otherwise."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mdm.connectors.model import Failure, Message, Receipt
from mdm.connectors.nats import NatsPlace, NatsSink
from tests.integration.connectors.brokers import PASSWORD, free_port, make_stream, wait_for_port
from tests.misbehaving import certificate

NEWS = Message("m1", "golden_record.changed", "customer", "cus_1", b"{}")


@dataclass(frozen=True)
class Secured:
    """A nats-server with TLS, and the file that holds its certificate."""

    address: str
    ca_path: str

    def send(self, *, ca_path: str) -> Receipt | Failure:
        sink = NatsSink(NatsPlace((self.address,), user="hub", password=PASSWORD, ca_path=ca_path, timeout_s=5))
        try:
            return sink.send([NEWS])[0]
        finally:
            sink.close()


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if program is None:
        pytest.skip("nats-server is not installed (apt-get install nats-server)")
    certificate(tmp_path, "localhost")
    file, port = tmp_path / "localhost.pem", free_port()
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f"listen: 127.0.0.1:{port}\njetstream {{ store_dir: '{tmp_path}' }}\n"
        f"tls {{ cert_file: '{file}', key_file: '{file}' }}\n"
        f"authorization {{ users: [{{user: hub, password: {PASSWORD}}}] }}\n"
    )
    with (tmp_path / "nats.log").open("w") as log:
        server = subprocess.Popen([program, "-c", str(configuration)], stdout=log, stderr=log)
    try:
        wait_for_port(port, server)
        make_stream(f"tls://localhost:{port}", ca_path=file)
        yield Secured(f"tls://localhost:{port}", str(file))
    finally:
        server.kill()
        server.wait()


def test_a_broker_whose_signer_is_named_confirms_under_tls(secured: Secured) -> None:
    assert isinstance(secured.send(ca_path=secured.ca_path), Receipt)


def test_a_broker_whose_signer_nobody_knows_is_told_nothing(secured: Secured) -> None:
    outcome = secured.send(ca_path="")

    assert isinstance(outcome, Failure)
    assert outcome.kind == "unavailable"
    assert "certificate" in outcome.reason.lower()
