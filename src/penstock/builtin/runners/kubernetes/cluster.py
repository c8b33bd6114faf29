"""The part of a cluster's API that pods need."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeVar

import httpx

from penstock.builtin.runners.kubernetes.access import Access, Authorization
from penstock.builtin.runners.kubernetes.log_lines import whole_lines
from penstock.builtin.runners.kubernetes.pod_state import Pod
from penstock.builtin.runners.runner import RunnerError

T = TypeVar("T")

_CONNECTING, _READING = 10.0, 60.0
_PATIENCE = 30.0
"""Seconds for which a cluster may be away."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_PASSING = frozenset({429, 500, 502, 503, 504})
_RIGHTS = "pods: get, create, delete, watch, list; pods/log: get, watch; pods/exec: get, watch"


class Away(Exception):
    """The cluster does not answer, or not as it should; it may soon."""


class ClusterError(RunnerError):
    """The cluster refuses."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Cluster:
    """The pods of a namespace. Every method may be called by any thread.

    Args:
        access: The cluster.
        namespace: The namespace; the one of the access, or `default`, when there is none.
    """

    def __init__(self, access: Access, namespace: str | None = None) -> None:
        self.namespace = namespace or access.namespace or "default"
        self._access = access
        self._tls = access.tls()
        self._client = httpx.Client(
            base_url=access.server.rstrip("/"),
            verify=self._tls,
            auth=Authorization(access),
            timeout=httpx.Timeout(_READING, connect=_CONNECTING),
            headers={"User-Agent": "penstock"},
        )
        self._path = f"/api/v1/namespaces/{self.namespace}/pods"

    def close(self) -> None:
        """Let go of its connections."""
        self._client.close()

    def create(self, manifest: Mapping[str, Any]) -> Pod:
        """Make a pod; one of that name is taken for the same, which was made by a request whose answer was lost."""
        name = str(manifest["metadata"]["name"])
        try:
            return self._ask("POST", self._path, json=manifest)
        except ClusterError as error:
            found = self.get(name) if error.status == httpx.codes.CONFLICT else None
            if found is None:
                raise
            return found

    def get(self, name: str) -> Pod | None:
        """Return a pod; None when there is none."""
        try:
            return self._ask("GET", f"{self._path}/{name}")
        except ClusterError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def find(self, label: str, value: str) -> list[Pod]:
        """Return the pods with a label."""
        return list(self._ask("GET", self._path, params={"labelSelector": f"{label}={value}"}).get("items") or ())

    def delete(self, name: str, uid: str, grace: int | None = None) -> None:
        """Order the deletion of a pod, unless it is gone or another one has its name."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        try:
            self._ask("DELETE", f"{self._path}/{name}", json=options)
        except ClusterError as error:
            if error.status not in (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT):
                raise

    @contextmanager
    def watch(
        self, name: str, version: str, seconds: int, take: Callable[[Callable[[], None]], None]
    ) -> Iterator[Iterator[Mapping[str, Any]]]:
        """Give what happens to a pod from a version of it on, for some seconds.

        Args:
            name: The pod.
            version: The version.
            seconds: For how long.
            take: Is given what ends this from another thread.

        Raises:
            Away: The cluster does not answer any more.
            ClusterError: Such as when it does not know that version any more.
        """
        params = {"watch": "true", "fieldSelector": f"metadata.name={name}", "resourceVersion": version}
        with self._stream(self._path, {**params, "timeoutSeconds": str(seconds)}, take) as pieces:
            yield (json.loads(line) for line in whole_lines(pieces))

    @contextmanager
    def log(
        self, name: str, container: str, since: str | None, take: Callable[[Callable[[], None]], None]
    ) -> Iterator[Iterator[bytes]]:
        """Give the lines of a container's log with their times, as they come.

        Args:
            name: The pod.
            container: The container.
            since: From which time on.
            take: Is given what ends this from another thread.

        Raises:
            Away: The cluster does not answer any more.
        """
        params = {"container": container, "follow": "true", "timestamps": "true"}
        if since is not None:
            params["sinceTime"] = since
        with self._stream(f"{self._path}/{name}/log", params, take) as pieces:
            yield whole_lines(pieces)

    def execute(
        self,
        name: str,
        container: str,
        command: list[str],
        given: IO[bytes] | None = None,
        take: Callable[[bytes], object] | None = None,
    ) -> None:
        """Run a command in a container.

        Args:
            name: The pod.
            container: The container.
            command: The program and its arguments.
            given: What it reads.
            take: Takes what it writes.

        Raises:
            Away: The cluster does not answer any more.
            ClusterError: The command failed, or could not be started.
        """
        from penstock.builtin.runners.kubernetes.exec_channel import ExecChannel

        path = f"{self._path}/{name}/exec"
        asked = {"container": container, "stdout": "true", "stderr": "true", "command": command}
        if given is not None:
            asked["stdin"] = "true"
        base = self._client.base_url
        url = base.copy_with(path=base.path.rstrip("/") + path, params=asked)
        with ExecChannel.open(str(url), self._access, self._tls) as channel:
            status, message = channel.run(given, take)
        if status:
            raise ClusterError(0, f"a command of the file transfer failed: {message}", "see `fileSidecar`")

    def patiently(self, action: Callable[[], T], seconds: float = _PATIENCE) -> T:
        """Return what an action gives, trying again for a while when the cluster is away.

        Raises:
            RunnerError: It stays away.
        """
        deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
        while True:
            try:
                return action()
            except Away as error:
                if time.monotonic() + pause > deadline:
                    raise RunnerError(
                        f"the cluster at {self._access.server} does not answer: {error}",
                        hint="check `masterUrl`, and that the worker reaches it",
                    ) from None
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with _away():
                response = self._client.request(method, path, **options)
            _check(response, f"{method} {path}")
            found: dict[str, Any] = response.json()
            return found

        return self.patiently(ask)

    @contextmanager
    def _stream(
        self, path: str, params: Mapping[str, str], take: Callable[[Callable[[], None]], None]
    ) -> Iterator[Iterator[bytes]]:
        with _away(), self._client.stream("GET", path, params=params) as response:
            if response.is_error:
                response.read()
            _check(response, f"GET {path}")
            take(lambda: _cut(response))
            yield response.iter_raw()


def _cut(response: httpx.Response) -> None:
    """End the reading of an answer in another thread: closing alone would not wake it."""
    with suppress(OSError):
        stream = response.extensions["network_stream"].get_extra_info("socket")
        stream.shutdown(socket.SHUT_RDWR)


@contextmanager
def _away() -> Iterator[None]:
    """Give every sign of a lost connection one name."""
    try:
        yield
    except httpx.TransportError as error:
        cause = error.__cause__ or error.__context__
        while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
            cause = cause.__cause__ or cause.__context__
        if cause is not None:
            raise ClusterError(0, f"the cluster's certificate is not trusted: {error}", "see `caCertData`") from None
        raise Away(str(error) or type(error).__name__) from None


def _check(response: httpx.Response, what: str) -> None:
    """Raise what an answer complains of."""
    if response.is_success:
        return
    try:
        said = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        said = response.text.strip()[:300] or response.reason_phrase
    status = response.status_code
    if status in _PASSING:
        raise Away(said)
    if status == httpx.codes.UNAUTHORIZED:
        hint = "see `config` of the task runner; a token may have ended, which `oauthTokenProvider` renews"
        raise ClusterError(status, "the cluster does not know us: it refuses the token or the certificate", hint)
    if status == httpx.codes.FORBIDDEN:
        hint = f"the task runner needs a role in the namespace with: {_RIGHTS}"
        raise ClusterError(status, f"the cluster does not allow {what}: {said}", hint)
    raise ClusterError(status, f"the cluster refuses {what}: {said}", "see the properties of the task runner")
