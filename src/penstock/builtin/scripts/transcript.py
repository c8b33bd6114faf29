"""What a script says while it runs: log lines, and messages with outputs, metrics, assets and further log lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from penstock.builtin.runners.runner import Stream
from penstock.builtin.scripts.lines import Line, LineSplitter, printable
from penstock.builtin.scripts.messages import messages_in
from penstock.sdk import RunContext, json_text

_LONGEST = 2 * 1024 * 1024
_SHOWN = 32 * 1024
"""How much of a line longer than that is logged: so little that the log has no need to cut the remark at its end."""
_MOST = 64 * 1024 * 1024
"""How much of all lines is logged: whoever prints without end must not fill the database."""
_ROW = 100
"""What a line takes beside its text."""
_LEVELS = {Stream.OUT: "INFO", Stream.ERR: "ERROR"}


class _Metric(msgspec.Struct):
    name: str
    type: Literal["counter", "timer", "gauge"]
    value: float
    tags: dict[str, Any] | None = None


class _Log(msgspec.Struct):
    message: str
    level: str = "INFO"


class Transcript:
    """Takes what a command writes (`OutputSink`).

    Implements ENG-209, ENG-210, SCR-032 to SCR-034, SCR-036, SCR-037, SCR-038.
    """

    def __init__(self, context: RunContext, most: int = _MOST) -> None:
        """Begin.

        Args:
            context: The task's.
            most: How many bytes of lines are logged; what comes after them is counted alone.
        """
        self._context = context
        self._room = most
        self._left_out = 0
        self._splitters = {stream: LineSplitter(_LONGEST) for stream in Stream}
        self.line_counts = dict.fromkeys(Stream, 0)
        self.outputs: dict[str, Any] = {}
        self.assets: list[dict[str, Any]] = []

    def write(self, stream: Stream, data: bytes) -> None:
        """Take a piece of a stream."""
        for line in self._splitters[stream].feed(data):
            self._take(stream, line)

    def finish(self) -> None:
        """Take the last lines, which no line end follows."""
        for stream, splitter in self._splitters.items():
            for line in splitter.finish():
                self._take(stream, line)
        if self._left_out:
            self._context.logger.warning(
                f"{self._left_out} more lines were not logged (large outputs belong into a file, kept by `outputFiles`)"
            )

    def _take(self, stream: Stream, line: Line) -> None:
        self.line_counts[stream] += 1
        messages = () if line.cut else messages_in(line.text)
        for message in messages:
            self._apply(message)
        if messages:
            return
        text = _shown(line) if line.cut else line.text
        self._room -= len(text) + _ROW
        if self._room < 0:
            self._left_out += 1
        else:
            self._context.logger.log(_LEVELS[stream], text)

    def _apply(self, message: Mapping[str, Any]) -> None:
        outputs = message.get("outputs")
        if isinstance(outputs, dict):
            self.outputs.update(outputs)
        elif outputs is not None:
            self._ignore("outputs", "they must be a map")
        for metric in _listed(message.get("metrics")):
            self._metric(metric)
        for entry in _listed(message.get("logs")):
            self._log(entry)
        if encrypted := message.get("encryptedOutputs"):
            self._encrypted(encrypted)
        for asset in _listed(message.get("assets")):
            if isinstance(asset, dict):
                self.assets.append(asset)
            else:
                self._ignore("an asset", "it must be a map")

    def _metric(self, given: Any) -> None:
        try:
            metric = msgspec.convert(given, _Metric, strict=False)
        except msgspec.ValidationError as error:
            self._ignore("a metric", str(error))
            return
        record = {"counter": self._context.counter, "timer": self._context.timer, "gauge": self._context.gauge}
        record[metric.type](
            printable(metric.name), metric.value, {key: json_text(tag) for key, tag in (metric.tags or {}).items()}
        )

    def _log(self, given: Any) -> None:
        try:
            entry = msgspec.convert(given, _Log)
        except msgspec.ValidationError as error:
            self._ignore("a log entry", str(error))
            return
        self._context.logger.log(entry.level, printable(entry.message))

    def _encrypted(self, given: Any) -> None:
        """Keep secrets as outputs in encrypted form (ENG-209); without a key on the server they are not kept."""
        if not isinstance(given, dict):
            self._ignore("`encryptedOutputs`", "they must be a map")
            return
        for name, value in given.items():
            text = json_text(value)
            self._context.mask(text)
            try:
                self.outputs[name] = self._context.call("sealOutput", value=text)
            except Exception as error:
                self._ignore(f"`{printable(name)}` of `encryptedOutputs`", str(error))

    def _ignore(self, what: str, why: str) -> None:
        self._context.logger.warning(f"{what} of the script's messages was ignored: {why}")


def _shown(line: Line) -> str:
    """Return the beginning of a line that was too long, and how long it was."""
    left_out = len(line.text[_SHOWN:].encode()) + line.cut
    return f"{line.text[:_SHOWN]}... ({left_out} more bytes were cut)"


def _listed(given: Any) -> list[Any]:
    """Return a message's list; one item counts as a list of one."""
    return given if isinstance(given, list) else [] if given is None else [given]
