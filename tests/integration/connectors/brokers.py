"""Real brokers for the contract of the sinks: nats-server, rabbitmq-server, and the cluster that librdkafka brings.

Each can be killed and started again with what it held, and shows what it stored. Servers get a folder and ports of
their own and are ended by their process id.
"""

import asyncio
import ctypes
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aio_pika
import confluent_kafka
import nats
import pytest

from mdm.connectors.kafka import KafkaPlace, KafkaSink
from mdm.connectors.model import MessageSink
from mdm.connectors.nats import NatsPlace, NatsSink
from mdm.connectors.rabbitmq import RabbitPlace, RabbitSink

PASSWORD: Final = "of-this-test"
RABBIT_PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
UP_S: Final = 60  # a busy machine starts RabbitMQ in 15 s

Stored = list[tuple[str, str]]  # (message id, subject), in the order in which the broker has them


class Broker(ABC):
    """A broker that a contract test may kill."""

    @abstractmethod
    def __init__(self, folder: Path) -> None:
        """Prepare it in a folder of its own; skips the test where its program is not installed."""

    keeps_one_of_a_repeat = False
    # Users of it, as the sinks name them: may publish; has another password; may not publish here.
    users: tuple[str, ...] = ("hub", "stranger", "mute")

    @abstractmethod
    def start(self) -> None:
        """Start it, with what it held before."""

    @abstractmethod
    def kill(self) -> None:
        """End it without a word."""

    @abstractmethod
    def sink(self, user: str = "hub", *, timeout_s: float = 10) -> MessageSink:
        """Make a sink to it."""

    @abstractmethod
    def stored(self, count: int) -> Stored:
        """Give all that it holds, in order; wait for as many messages as there should at least be."""


class Nats(Broker):
    """Debian's nats-server with JetStream."""

    keeps_one_of_a_repeat = True

    def __init__(self, folder: Path) -> None:
        program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
        if program is None:
            pytest.skip("nats-server is not installed (apt-get install nats-server)")
        self._port = free_port()
        self._configuration = folder / "nats.conf"
        self._configuration.write_text(
            f"listen: 127.0.0.1:{self._port}\njetstream {{ store_dir: '{folder}' }}\nauthorization {{ users: ["
            f"{{user: hub, password: {PASSWORD}}},"
            f"{{user: mute, password: {PASSWORD}, permissions: {{publish: {{deny: 'mdm.>'}}}}}}] }}\n"
        )
        self._command = [program, "-c", str(self._configuration)]

    def start(self) -> None:
        with self._configuration.with_suffix(".log").open("a") as log:
            self._server = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for_port(self._port, self._server)
        asyncio.run(self._make_stream())

    def kill(self) -> None:
        self._server.kill()
        self._server.wait()

    def sink(self, user: str = "hub", *, timeout_s: float = 10) -> MessageSink:
        password = "another" if user == "stranger" else PASSWORD
        return NatsSink(
            NatsPlace((f"nats://127.0.0.1:{self._port}",), user=user, password=password, timeout_s=timeout_s)
        )

    def stored(self, count: int) -> Stored:
        return asyncio.run(self._read())

    async def _make_stream(self) -> None:
        client = await nats.connect(f"nats://hub:{PASSWORD}@127.0.0.1:{self._port}")
        await client.jetstream().add_stream(name="MDM", subjects=["mdm.>"])
        await client.close()

    async def _read(self) -> Stored:
        client = await nats.connect(f"nats://hub:{PASSWORD}@127.0.0.1:{self._port}")
        stream = client.jetstream()
        state = (await stream.stream_info("MDM")).state
        reading = await stream.subscribe("mdm.>", ordered_consumer=True)
        found = []
        for _ in range(state.messages):
            message = await reading.next_msg(timeout=10)
            found.append(((message.headers or {})["Nats-Msg-Id"], message.subject.rpartition(".")[2]))
        await client.close()
        return found


class Rabbit(Broker):
    """Debian's rabbitmq-server, as a node of its own with its own port mapper."""

    def __init__(self, folder: Path) -> None:
        if not RABBIT_PROGRAM.exists():
            pytest.skip("rabbitmq-server is not installed (apt-get install rabbitmq-server)")
        self._port, distribution, mapper = free_port(), free_port(), free_port()
        (folder / "plugins").write_text("[].")
        (folder / "definitions.json").write_text(json.dumps(self._definitions()))
        (folder / "rabbit.config").write_text(
            f'[{{rabbit, [{{load_definitions, "{folder}/definitions.json"}},'
            " {log, [{console, [{level, error}]}]}]}]."
        )
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"mdm-test-{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbit"),
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def start(self) -> None:
        with (self._folder / "log.txt").open("a") as log:
            # Erlang's port mapper, which the server would otherwise leave running for good.
            self._mapper = subprocess.Popen(["epmd"], env=self._environment, stdout=log, stderr=log)
            self._server = subprocess.Popen(
                [RABBIT_PROGRAM], env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_for_port(self._port, self._server)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._server.pid, signal.SIGKILL)
        self._server.wait()
        self._mapper.kill()
        self._mapper.wait()

    def sink(self, user: str = "hub", *, timeout_s: float = 10) -> MessageSink:
        password = "another" if user == "stranger" else PASSWORD
        url = f"amqp://127.0.0.1:{self._port}/"
        return RabbitSink(RabbitPlace(url, user=user, password=password, timeout_s=timeout_s))

    def stored(self, count: int) -> Stored:
        return asyncio.run(self._read(count))

    def _definitions(self) -> Mapping[str, Any]:
        rights = {"vhost": "/", "configure": "", "read": ".*"}
        return {
            "users": [{"name": name, "password": PASSWORD, "tags": []} for name in ("hub", "mute")],
            "vhosts": [{"name": "/"}],
            "permissions": [{"user": "hub", "write": ".*", **rights}, {"user": "mute", "write": "", **rights}],
            "exchanges": [
                {"name": "mdm", "vhost": "/", "type": "topic", "durable": True, "auto_delete": False, "arguments": {}}
            ],
            "queues": [{"name": "all", "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}],
            "bindings": [
                {
                    "source": "mdm",
                    "vhost": "/",
                    "destination": "all",
                    "destination_type": "queue",
                    "routing_key": "customer.#",
                    "arguments": {},
                }
            ],
        }

    async def _read(self, count: int) -> Stored:
        """Read the queue without taking anything out of it: what is not acknowledged goes back to its place."""
        connection = await aio_pika.connect(f"amqp://hub:{PASSWORD}@127.0.0.1:{self._port}/")
        queue = await (await connection.channel()).get_queue("all")
        found: Stored = []
        until = time.monotonic() + 10
        while len(found) < count and time.monotonic() < until:
            while (letter := await queue.get(fail=False)) is not None:
                found.append((str(letter.message_id), str(letter.headers["subject"])))
        await connection.close()
        return found


class Kafka(Broker):
    """The mock cluster of librdkafka: real sockets and the real protocol, in this process; it forgets at its end."""

    users = ("hub", "mute")
    _PRODUCE, _METADATA = 0, 3  # numbers of Kafka's protocol
    _TOPIC_AUTHORIZATION_FAILED = 29

    def __init__(self, folder: Path) -> None:
        package = Path(confluent_kafka.__file__).parent.parent
        self._library = ctypes.CDLL(str(next((package / "confluent_kafka.libs").glob("librdkafka*.so*"))))
        for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
            getattr(self._library, name).restype = ctypes.c_void_p
        self._library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        reason = ctypes.create_string_buffer(512)
        configuration = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        producer = 0
        self._client = ctypes.c_void_p(self._library.rd_kafka_new(producer, configuration, reason, 512))
        assert self._client.value, reason.value
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._client, 1))
        self._library.rd_kafka_mock_topic_create(self._cluster, b"mdm.customer", 4, 1)
        self.address = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def start(self) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, 1)

    def kill(self) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, 1)

    def destroy(self) -> None:
        """End the cluster."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def sink(self, user: str = "hub", *, timeout_s: float = 10) -> MessageSink:
        if user == "mute":
            self._library.rd_kafka_mock_push_request_errors(
                self._cluster, ctypes.c_int16(self._PRODUCE), ctypes.c_size_t(1), self._TOPIC_AUTHORIZATION_FAILED
            )
        return KafkaSink(KafkaPlace(self.address, timeout_s=timeout_s))

    def stored(self, count: int) -> Stored:
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.address, "group.id": "test"})
        consumer.assign([confluent_kafka.TopicPartition("mdm.customer", number, 0) for number in range(4)])
        found: Stored = []
        until = time.monotonic() + 10
        while time.monotonic() < until:
            read = consumer.consume(10_000, timeout=0.3)
            found += [(text_of(dict(one.headers() or ())["id"]), text_of(one.key())) for one in read]
            if len(found) >= count and not read:
                break
        consumer.close()
        return found


BROKERS: Final[Mapping[str, type[Broker]]] = {"nats": Nats, "rabbitmq": Rabbit, "kafka": Kafka}


def text_of(sent: str | bytes | None) -> str:
    """Give a header or key as the text that it was sent as."""
    return sent.decode() if isinstance(sent, bytes) else str(sent)


def free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def wait_for_port(port: int, server: "subprocess.Popen[Any]") -> None:
    """Wait until a server listens."""
    until = time.monotonic() + UP_S
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert server.poll() is None, f"{server.args!r} ended"
        assert time.monotonic() < until, f"{server.args!r} does not listen"
        time.sleep(0.05)


def of_subjects(stored: Stored, subjects: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Pick what is of these subjects: brokers are shared by the tests of a file."""
    return (one for one in stored if one[1] in subjects)


def make_stream(address: str, *, ca_path: Path) -> None:
    """Make the stream of a nats-server that speaks TLS."""

    async def make() -> None:
        tls = ssl.create_default_context(cafile=str(ca_path))
        client = await nats.connect(address, user="hub", password=PASSWORD, tls=tls)
        await client.jetstream().add_stream(name="MDM", subjects=["mdm.>"])
        await client.close()

    asyncio.run(make())
