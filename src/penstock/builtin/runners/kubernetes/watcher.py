"""Knowing a pod as its cluster does, from one instant to the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from penstock.builtin.runners.kubernetes.cluster import Away, Cluster, ClusterError
from penstock.builtin.runners.kubernetes.pod_state import Pod, PodState
from penstock.builtin.runners.runner import RunnerError

_TURN = 30
"""Seconds for which the cluster is asked to tell of changes, before the pod is read anew."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_GONE, _TOO_OLD = "DELETED", "ERROR"


class Watcher(threading.Thread):
    """Follows a pod until it is gone. A cluster that is away meanwhile is waited for.

    Args:
        cluster: The cluster.
        pod: The pod, as it was last seen.
        tell: Is told when the cluster is away, once each time.
    """

    def __init__(self, cluster: Cluster, pod: Pod, tell: Callable[[str], None]) -> None:
        super().__init__(name=f"watching-{pod['metadata']['name']}", daemon=True)
        self._cluster = cluster
        self._pod_name, self._uid = str(pod["metadata"]["name"]), pod["metadata"]["uid"]
        self._tell = tell
        self._changed = threading.Condition()
        self._pod: Pod | None = pod
        self._error: RunnerError | None = None
        self._is_over = threading.Event()
        self._cut: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """Follow it no longer."""
        self._is_over.set()
        self._cut()
        self.join()

    def wait(self, holds: Callable[[PodState | None], bool], seconds: float | None) -> PodState | None:
        """Return the pod as soon as something holds of it; None stands for a pod that is gone.

        Raises:
            TimeoutError: It does not hold in time.
            RunnerError: The pod cannot be followed any more.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        with self._changed:
            while True:
                state = None if self._pod is None else PodState(self._pod)
                if holds(state) or state is None:
                    return state
                if self._error is not None:
                    raise self._error
                rest = None if deadline is None else deadline - time.monotonic()
                if rest is not None and rest <= 0:
                    raise TimeoutError
                self._changed.wait(rest)

    def run(self) -> None:
        """Follow it."""
        pause = _FIRST_PAUSE
        while not self._is_over.is_set():
            try:
                if not self._follow():
                    return
                pause = _FIRST_PAUSE
            except Away as error:
                if self._is_over.is_set():
                    return
                if pause == _FIRST_PAUSE:
                    self._tell(str(error))
                self._is_over.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except RunnerError as error:
                self._set(error=error)
                return

    def _follow(self) -> bool:
        """Follow it for a turn; return whether it is still there."""
        pod = self._cluster.get(self._pod_name)
        if not self._set(pod) or pod is None:
            return False
        try:
            with self._cluster.watch(self._pod_name, pod["metadata"]["resourceVersion"], _TURN, self._take) as events:
                for event in events:
                    if event["type"] == _TOO_OLD:
                        return True
                    if not self._set(None if event["type"] == _GONE else event["object"]):
                        return False
        except ClusterError as error:
            if error.status != 410:  # it has forgotten that version
                raise
        return True

    def _take(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        if self._is_over.is_set():
            cut()

    def _set(self, pod: Any = None, error: RunnerError | None = None) -> bool:
        """Keep what the pod is like now; return whether it is still there."""
        is_there = pod is not None and pod["metadata"]["uid"] == self._uid
        with self._changed:
            if error is not None:
                self._error = error
            else:
                self._pod = pod if is_there else None
            self._changed.notify_all()
        return is_there
