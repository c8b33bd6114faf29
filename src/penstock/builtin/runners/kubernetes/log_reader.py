"""What the commands in a pod write, line by line, however often the connection is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable

from penstock.builtin.runners.kubernetes.cluster import Away, Cluster, ClusterError
from penstock.builtin.runners.kubernetes.log_lines import LogLines
from penstock.builtin.runners.kubernetes.manifest import MAIN
from penstock.builtin.runners.runner import OutputSink, RunnerError, Stream

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


class LogReader(threading.Thread):
    """Hands on the log of the commands until they have ended and all of it was read.

    A cluster keeps one log of what is written to standard output and to standard error.

    Args:
        cluster: The cluster.
        pod: The pod's name.
        sink: What takes the lines.
    """

    def __init__(self, cluster: Cluster, pod: str, sink: OutputSink) -> None:
        super().__init__(name=f"reading-{pod}", daemon=True)
        self._cluster = cluster
        self._pod = pod
        self._sink = sink
        self._lines = LogLines()
        self._lock = threading.Lock()
        self._has_ended = threading.Event()
        self._gives_up = threading.Event()
        self._cut: Callable[[], None] = lambda: None
        self.error: RunnerError | None = None
        """Why the rest cannot be read, if it cannot."""

    def finish(self, seconds: float) -> bool:
        """Read the rest, the commands having ended; return whether all was read in time."""
        self._has_ended.set()
        self.join(seconds)
        with self._lock:
            self._gives_up.set()
        if not self.is_alive():
            return self.error is None
        self._cut()
        return False

    def run(self) -> None:
        """Read."""
        pause = _FIRST_PAUSE
        while not self._gives_up.is_set():
            is_last = self._has_ended.is_set()
            try:
                if self._read(is_last):
                    pause = _FIRST_PAUSE
                if is_last:  # it was asked for when nothing could be added any more
                    return
            except Away:
                is_last = True  # its end does not make the cluster answer sooner
            except ClusterError as error:
                self.error = error
                return
            (self._gives_up if is_last else self._has_ended).wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read(self, is_last: bool) -> bool:
        """Read until the connection ends; return whether there was anything new."""
        self._lines.restart()
        is_new = False
        with self._cluster.log(self._pod, MAIN, self._lines.since, self._take) as lines:
            for line in lines:
                if not (is_last or line.endswith(b"\n")):
                    break  # the rest of it is to come
                new = self._lines.new(line)
                if new is None:
                    continue
                is_new = True
                with self._lock:
                    if self._gives_up.is_set():
                        break
                    self._sink.write(Stream.OUT, new)
        return is_new

    def _take(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        if self._gives_up.is_set():
            cut()
