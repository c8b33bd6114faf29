"""Node's packages: installed once, kept, and found by `require`, `import` and the shell."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.builtin.runners.process import Process
from penstock.builtin.scripts import node
from penstock.builtin.scripts.environments import DependenciesFailed
from penstock.services.worker.settings import WorkerSettings, task_environment
from penstock.testing.run_context import RunContextFactory, messages_of

RUNNER = {"type": Process.type_name}

pytestmark = pytest.mark.skipif(
    shutil.which("npm") is None and not os.environ.get("CI"), reason="there is no npm on this machine"
)


def script(text: str, **properties: Any) -> node.Script:
    definition = {"id": "t", "type": node.Script.type_name, "script": textwrap.dedent(text), "taskRunner": RUNNER}
    return node.Script.model_validate({**definition, **properties})


def commands(*lines: str, **properties: Any) -> node.Commands:
    definition = {"id": "t", "type": node.Commands.type_name, "commands": list(lines), "taskRunner": RUNNER}
    return node.Commands.model_validate({**definition, **properties})


@pytest.fixture
def cached(tmp_path: Path) -> Iterator[RunContextFactory]:
    """Contexts whose cache folder is the test's own."""
    environment = {**task_environment(os.environ), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with RunContextFactory(settings=WorkerSettings(threads=1, environment=environment)) as factory:
        yield factory


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    """An installable package with a module and a program."""
    files = {
        "package.json": json.dumps(
            {"name": "greeter", "version": "1.0.0", "main": "index.js", "bin": {"greet": "greet.js"}}
        ),
        "index.js": "exports.greet = () => 'hi'\n",
        "greet.js": "#!/usr/bin/env node\nconsole.log(require('./index.js').greet())\n",
    }
    path = tmp_path / "greeter-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def kept(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "cache" / "penstock" / "node"
    return [path for path in folder.iterdir() if path.is_symlink()] if folder.exists() else []


def infos(context: Any) -> list[str]:
    return [text for level, text in messages_of(context) if level == "INFO"]


def test_dependencies_are_installed_once_and_found_by_require(
    cached: RunContextFactory, greeter: Path, tmp_path: Path
) -> None:
    """SCR-047."""
    for _ in range(2):
        context = cached.of()
        output = script("console.log(require('greeter').greet())", dependencies=[str(greeter)], outputFiles=["**"]).run(
            context
        )
        assert infos(context) == ["hi"]
        assert output.output_files == {}
        greeter.unlink(missing_ok=True)
    assert len(kept(tmp_path)) == 1


def test_dependencies_are_found_by_import_and_by_the_shell(cached: RunContextFactory, greeter: Path) -> None:
    context = cached.of({"package": str(greeter)})
    commands(
        *("node main.mjs", "greet"),
        inputFiles={"main.mjs": "import { greet } from 'greeter'\nconsole.log(greet())\n"},
        dependencies=["{{ package }}"],
    ).run(context)
    assert infos(context) == ["hi", "hi"]


def test_dependencies_not_to_be_kept_leave_nothing(cached: RunContextFactory, greeter: Path, tmp_path: Path) -> None:
    context = cached.of()
    task = script("console.log(require.resolve('greeter'))", dependencies=[str(greeter)], dependencyCacheEnabled=False)
    task.run(context)
    (path,) = infos(context)
    assert path.endswith("greeter/index.js")
    assert not Path(path).exists()
    assert kept(tmp_path) == []


def test_dependencies_leave_alone_the_packages_the_commands_install(
    cached: RunContextFactory, greeter: Path, tmp_path: Path
) -> None:
    """SCR-005."""
    context = cached.of()
    own = '{"dependencies": {}}'
    commands(
        *(f"npm install --no-audit --no-fund {greeter} >/dev/null 2>&1", "test -d node_modules/greeter"),
        inputFiles={"package.json": own},
        dependencies=[str(greeter)],
    ).run(context)
    (folder,) = kept(tmp_path)
    assert (folder / "node_modules" / "greeter" / "index.js").exists()


def test_dependencies_that_cannot_be_installed_say_why(cached: RunContextFactory, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0.0.tgz"
    broken.write_bytes(b"no archive")
    with pytest.raises(DependenciesFailed, match="cannot be installed"):
        script("1", dependencies=[str(broken)]).run(cached.of())


def test_dependencies_without_npm_say_what_brings_it(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    settings = WorkerSettings(threads=1, environment={"PATH": str(tmp_path)})
    with RunContextFactory(settings=settings) as contexts, pytest.raises(DependenciesFailed) as failure:
        script("1", dependencies=["greeter"]).run(contexts.of())
    assert "`npm`" in failure.value.message
    assert "Debian packages" in (failure.value.hint or "")


def test_script_with_the_real_package_gives_outputs_metrics_and_logs(cached: RunContextFactory) -> None:
    """SCR-039."""
    context = cached.of()
    text = """
        const Kestra = require("@kestra-io/libs")
        Kestra.outputs({total: 12.5, nested: {a: [1, "ü", null]}})
        Kestra.counter("rows", 42, {zone: "EU", fresh: true})
        Kestra.timer("took", 42.42)
        Kestra.timer("called", done => setTimeout(() => { done(); Kestra.logger().info("done") }, 20))
        Kestra.logger().warn("careful")
    """
    try:
        output = script(text, dependencies=["@kestra-io/libs"]).run(context)
    except DependenciesFailed:
        if os.environ.get("CI"):
            raise
        pytest.skip("the package cannot be fetched")
    assert output.vars == {"total": 12.5, "nested": {"a": [1, "ü", None]}}
    assert {(level, text) for level, text in messages_of(context) if level in ("INFO", "WARN")} == {
        ("WARN", "careful"),
        ("INFO", "done"),
    }
    metrics = {one.name: one for one in context.log.take_metrics()}
    assert (metrics["rows"].type, metrics["rows"].value) == ("counter", 42.0)
    assert dict(metrics["rows"].tags) == {"zone": "EU", "fresh": "true"}
    assert (metrics["took"].type, metrics["took"].value) == ("timer", 42.42)
    assert 0.01 < metrics["called"].value < 10
