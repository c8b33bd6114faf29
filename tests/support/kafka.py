"""A real Apache Kafka for the tests: one per test run. Its start costs two seconds of computing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.kafka import kafka_directory
from tests.support.missing import missing
from tests.support.ports import free_port
from tests.support.shared import shared_port, start_shared

KAFKA = "kafka"
_CONNECTION = "connection"
_QUICK = ("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
"""For a start that is soon over, and for little work afterwards."""


@dataclass(frozen=True, slots=True)
class EventHubs:
    """The same broker as a namespace of Event Hubs: by a connection string, as to Microsoft's emulator of one."""

    connection_string: str
    plain: str
    """The broker's address for those who need no login."""


def event_hubs_for(run_directory: Path) -> EventHubs:
    """Return the namespace of this test run."""
    plain = kafka_for(run_directory)
    return EventHubs((run_directory / KAFKA / _CONNECTION).read_text(), plain)


def kafka_for(run_directory: Path) -> str:
    """Return the address of the broker of this test run, started by whoever asks first."""
    if kafka_directory() is None or shutil.which("java") is None:
        missing("no Apache Kafka found: run `make setup`")
    return f"127.0.0.1:{shared_port(run_directory, KAFKA, _start)}"


def _start(directory: Path) -> int:
    port, login, controller = free_port(), free_port(), free_port()
    connection = (
        f"Endpoint=sb://127.0.0.1:{login};SharedAccessKeyName=reader;SharedAccessKey=s3cret-word;"
        "UseDevelopmentEmulator=true;"
    )
    (directory / _CONNECTION).write_text(connection)
    logins = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},LOGIN://127.0.0.1:{login},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},LOGIN://127.0.0.1:{login}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listener.name.login.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.login.plain.sasl.jaas.config": f'{logins} user_$ConnectionString="{connection}";',
        "log.dirs": str(directory / "data"),
        "log.cleaner.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
    }
    (directory / "server.properties").write_text(_properties(settings))
    # What the tool that formats a folder would write, with another start of a virtual machine.
    (directory / "data").mkdir(exist_ok=True)
    identity = {"version": "1", "node.id": "1", "cluster.id": "cGVuc3RvY2stdGVzdHM0MQ"}
    (directory / "data" / "meta.properties").write_text(_properties(identity))
    command = ["java", *_QUICK, "-cp", f"{kafka_directory()}/*", "kafka.Kafka", str(directory / "server.properties")]
    start_shared(command, directory, port)
    return port


def _properties(values: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())
