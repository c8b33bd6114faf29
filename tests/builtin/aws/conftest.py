"""A server that speaks as AWS does, one for all tests of a process."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.builtin.messages.conftest import bench
from tests.builtin.polling.conftest import polled

__all__ = ["bench", "polled"]
KEYS = {"accessKeyId": "reader", "secretKeyId": "s3cret-word", "region": "eu-west-1"}


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it writes a line for each request
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(aws_url: str) -> dict[str, Any]:
    """Give the properties that say where, and who asks."""
    return {**KEYS, "endpointOverride": aws_url}


def _client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=KEYS["region"],
        aws_access_key_id=KEYS["accessKeyId"],
        aws_secret_access_key=KEYS["secretKeyId"],
    )


@pytest.fixture(scope="session")
def s3(aws_url: str) -> Iterator[Any]:
    client = _client(aws_url, "s3")
    yield client
    client.close()


@pytest.fixture(scope="session")
def sqs(aws_url: str) -> Iterator[Any]:
    client = _client(aws_url, "sqs")
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any) -> str:
    """Give a bucket of the test's own."""
    name = f"b{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": KEYS["region"]})
    return name


@pytest.fixture
def queue(sqs: Any) -> str:
    """Give the URL of a queue of the test's own."""
    url: str = sqs.create_queue(QueueName=f"q{uuid.uuid4().hex}")["QueueUrl"]
    return url
