"""A plugin in two versions, each with an environment of its own and its own version of one library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.testing.run_context import RunContextFactory
from penstock.wiring.plugin_plan import PluginPlan
from penstock.wiring.plugins import Plugins, load_plugins

SOURCE = '''
import os, threading, time
from typing import Annotated
from pydantic import BaseModel, Field
from penstock.sdk import (
    ConditionBase, MetricNote, Output, PermanentError, PluginModel, PollingTrigger, Property, RealtimeTrigger,
    RunContext, Task, TriggerEvent,
)
import palette  # a library of which each version of the plugin has its own


class Depth(PluginModel):
    metres: Property[int] = Field(description="How deep.")


class Painted(Output):
    value: str = Field(description="The text with its colour.")
    process: int = Field(description="Where that was done.")


class Paint(Task):
    """Give a text the colour of the library."""

    type_name = "org.example.paint.Paint"
    type_aliases = ("org.example.paint.Colour",)
    type_metrics = (MetricNote("painted", "counter", "How much."),)
    output_type = Painted

    text: Property[str] = Field(description="The text.")
    times: Property[Annotated[int, Field(ge=1, le=3)]] = Property.of(1)
    depth: Depth | None = None

    def run(self, context: RunContext) -> Painted:
        text = context.render(self.text) * context.render(self.times)
        depth = f" {context.render(self.depth.metres)}" if self.depth else ""
        context.logger.info(f"painting {text}")
        return Painted(value=f"{palette.COLOUR} {text}{depth}", process=os.getpid())


class Odd(Task):
    """Do one odd thing."""

    type_name = "org.example.paint.Odd"

    what: str

    def run(self, context: RunContext) -> dict[str, object] | None:
        found: dict[str, object] | None = getattr(self, "_" + self.what)(context)
        return found

    def _everything(self, context):
        context.counter("rows", 3, {"zone": "EU"})
        context.timer("took", 1.5)
        context.set_labels({"painted": "yes"})
        context.end_execution("WARNING")
        context.resolve("sub").mkdir()
        (context.working_directory / "sub" / "a.txt").write_text("abc")
        uri = context.put_file(context.resolve("sub/a.txt"), "kept.txt")
        other = context.put_bytes(b"raw", "raw.bin")
        read = b"".join(context.stream_file("nsfile:///given"))
        context.logger.warning(context.call("secret", key="TOKEN"))
        print("not a message")
        return {
            "uri": uri, "other": other, "read": read.decode(), "nested": context.render_nested({"a": ["{{ n }}"]}),
            "flow": context.variables["flow"]["id"], "run": context.task_run["id"],
            "there": "PATH" in context.environment,
        }

    def _fails(self, context):
        raise ValueError("no paint left")

    def _fails_for_good(self, context):
        raise PermanentError("wrong colour", hint="take another")

    def _asks_in_vain(self, context):
        context.call("kv", key="missing")

    def _crashes(self, context):
        os._exit(7)

    def _waits(self, context):
        ended = threading.Event()
        context.on_kill(ended.set)
        context.logger.info("waiting")
        ended.wait(30)
        return {"killed": context.is_killed}

    def _sleeps(self, context):
        context.logger.info("sleeping")
        time.sleep(30)


class Dry(PollingTrigger):
    """Start when the paint is dry."""

    type_name = "org.example.paint.Dry"

    wet: bool = False
    log: str = Field(description="A file that tells what became of events.")

    def poll(self, context: RunContext) -> TriggerEvent | None:
        if self.wet:
            return None
        return TriggerEvent({"colour": palette.COLOUR}, "k", lambda: self._tell("acknowledged"), self._fail)

    def _tell(self, what):
        open(self.log, "a").write(what)

    def _fail(self):
        raise ValueError("cannot be released")


class Drops(RealtimeTrigger):
    """Start at every drop."""

    type_name = "org.example.paint.Drops"

    def listen(self, context: RunContext, stop):
        for number in range(2):
            yield TriggerEvent({"drop": number}, str(number))
        stop.wait(30)


class Shiny(ConditionBase):
    """Only shiny things."""

    type_name = "org.example.paint.Shiny"


TYPES = [Paint, Odd, Dry, Drops, Shiny]
'''


def put_version(folder: Path, version: str, colour: str) -> Path:
    """Put a version of the plugin where the installer puts it."""
    libraries = folder / "penstock-paint" / version / "lib"
    information = libraries / f"penstock_paint-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: penstock-paint\nVersion: {version}\n")
    (information / "entry_points.txt").write_text("[penstock.plugins]\npaint = paint\n")
    (libraries / "paint.py").write_text(SOURCE)
    (libraries / "palette.py").write_text(f"COLOUR = {colour!r}\n")
    return libraries


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the environments."""
    found = tmp_path_factory.mktemp("plugins")
    put_version(found, "1.9", "red")
    put_version(found, "1.10", "blue")
    return found


@pytest.fixture(scope="session")
def plugins(folder: Path) -> Iterator[Plugins]:
    """Give the types, those of the environments among them."""
    found = load_plugins((), plan=PluginPlan(folder))
    yield found
    found.close()


@pytest.fixture
def contexts() -> Iterator[RunContextFactory]:
    """Give contexts whose server knows one secret."""
    with RunContextFactory({"secret": lambda key, **_: f"very-secret-{key}"}) as factory:
        yield factory
