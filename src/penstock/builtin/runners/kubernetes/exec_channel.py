"""A command in a container, by the protocol of `kubectl exec`: numbered channels in a web socket."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from penstock.builtin.runners.kubernetes.access import Access
from penstock.builtin.runners.kubernetes.cluster import Away, ClusterError
from penstock.builtin.serdes.files import library

_CLOSING, _KNOWING = "v5.channel.k8s.io", "v4.channel.k8s.io"
"""The protocols: one side of a channel can be closed since the fifth, how a command ended is told since the fourth."""
_IN, _OUT, _ERR, _STATUS, _CLOSE = 0, 1, 2, 3, 255
_PIECE = 65_536
_PATIENCE = 60
_SHOWN = 500


class ExecChannel:
    """One command."""

    def __init__(self, web_socket: Any) -> None:
        self._socket = web_socket

    @classmethod
    @contextmanager
    def open(cls, url: str, access: Access, tls: ssl.SSLContext) -> Iterator[ExecChannel]:
        """Give a channel to a command that begins now.

        Raises:
            Away: The cluster does not answer, or the node does not yet.
            ClusterError: It refuses.
        """
        websocket = library("websocket", "kubernetes")
        address = url.replace("http", "ws", 1)
        for is_refused in (False, True):
            known = access.authorization(is_refused=is_refused)
            try:
                connection = websocket.create_connection(
                    address,
                    timeout=_PATIENCE,
                    subprotocols=[_CLOSING, _KNOWING],
                    header=[f"Authorization: {known}"] if known else [],
                    sslopt={"context": tls},
                    skip_utf8_validation=True,
                )
                break
            except websocket.WebSocketBadStatusException as error:
                if error.status_code != 401 or is_refused:
                    raise _refused(error.status_code, error.resp_body) from None
            except (websocket.WebSocketException, OSError) as error:
                raise Away(str(error) or type(error).__name__) from None
        try:
            yield cls(connection)
        except (websocket.WebSocketException, OSError) as error:
            raise Away(str(error) or type(error).__name__) from None
        finally:
            connection.shutdown()

    def run(self, given: IO[bytes] | None, take: Callable[[bytes], object] | None) -> tuple[int, str]:
        """Give the command what it reads, hand on what it writes, and return its exit code and its complaints.

        Raises:
            Away: The connection ended before the command.
        """
        if given is not None:
            while piece := given.read(_PIECE):
                self._socket.send_binary(bytes([_IN]) + piece)
            if self._socket.getsubprotocol() == _CLOSING:
                self._socket.send_binary(bytes([_CLOSE, _IN]))
        complaints = b""
        while message := self._message():
            channel, content = message[0], message[1:]
            if channel == _OUT and take is not None:
                take(content)
            elif channel == _ERR:
                complaints = (complaints + content)[:_SHOWN]
            elif channel == _STATUS and content:
                return _ending(json.loads(content), complaints.decode(errors="replace").strip())
        raise Away("the connection to a command ended before it")

    def _message(self) -> bytes:
        message = self._socket.recv()
        return message.encode() if isinstance(message, str) else bytes(message)


def _ending(status: dict[str, Any], complaints: str) -> tuple[int, str]:
    if status.get("status") == "Success":
        return 0, complaints
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), complaints or f"exit code {cause['message']}"
    raise ClusterError(0, f"a command of the file transfer cannot run: {status.get('message')}", "see `fileSidecar`")


def _refused(status: int, body: bytes | None) -> Exception:
    said = (body or b"").decode(errors="replace").strip()[:_SHOWN]
    if status == 403:
        return ClusterError(
            status, f"the cluster does not allow commands in pods: {said}", "the role needs `pods/exec`: get, create"
        )
    if status in (400, 404, 401):
        return ClusterError(status, f"the cluster refuses a command of the file transfer: {said}", "see `fileSidecar`")
    return Away(said or f"status {status}")
