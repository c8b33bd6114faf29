"""The container engine, and the cluster that runs on it; or a real cluster, where one is named."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.runners.kubernetes.access import Access, KnownToken
from penstock.builtin.runners.kubernetes.cluster import Cluster
from penstock.builtin.runners.kubernetes.kubeconfig import known_access
from tests.support.containers import IMAGE, Engine, EngineMissingError, container_engine
from tests.support.kubernetes import TOKEN, TestCluster, running_cluster

REAL = "PENSTOCK_TEST_KUBECONFIG"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with ExitStack() as stack:
        # Engines want short paths.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pen-", ignore_cleanup_errors=True)))
        try:
            running = stack.enter_context(container_engine(folder))
        except EngineMissingError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="session")
def cluster(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """Give a cluster that can be told to fail."""
    with running_cluster(tmp_path_factory.mktemp("cluster"), engine.host) as running:
        yield running


@dataclass(frozen=True)
class Target:
    """A cluster that tasks run on: the tests' own, or a real one."""

    cluster: Cluster
    image: str
    config: dict[str, Any] | None

    @property
    def runner(self) -> dict[str, Any]:
        """The task runner for it."""
        known = {} if self.config is None else {"config": self.config}
        return {**known, "namespace": self.cluster.namespace, "fileSidecar": {"image": self.image}}


@pytest.fixture
def target(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    if os.environ.get(REAL):
        monkeypatch.setenv("KUBECONFIG", os.environ[REAL])
        access, image, config = known_access(), "busybox", None
        assert access is not None
    else:
        own: TestCluster = request.getfixturevalue("cluster")
        access = Access(own.url, "tests", own.authority, tokens=KnownToken(TOKEN))
        image, config = IMAGE, own.config
    client = Cluster(access)
    yield Target(client, image, config)
    client.close()
