"""Script tasks on a whole server: what it keeps for them, and what flows say once for all of them."""

from __future__ import annotations

from pathlib import Path

from penstock.builtin.runners.process import Process
from penstock.builtin.scripts import python
from tests.builtin.scripts.making import wheel
from tests.support.flows import run_tasks
from tests.support.live import LiveServer


def locks(folder: Path) -> list[str]:
    return [file.read_text().strip() for file in folder.rglob("team/flow/_locks/1/*.txt")]


async def test_versions_of_dependencies_are_kept_beside_the_revision(server: LiveServer, tmp_path: Path) -> None:
    """BEY-036."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, "greeter", "1.0", "version = 1\n")
    task = {
        "type": python.Script.type_name,
        "script": "import greeter; print(f'version {greeter.version}')",
        "dependencies": ["greeter"],
        "env": {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(shelf), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        "taskRunner": {"type": Process.type_name},
    }
    first = await run_tasks(server, task)
    assert "version 1" in first.messages, first.messages
    assert locks(tmp_path) == ["greeter==1.0"]
    wheel(shelf, "greeter", "2.0", "version = 2\n")
    assert "version 1" in (await run_tasks(server, task)).messages
    assert "version 2" in (await run_tasks(server, task, description="another revision")).messages


async def test_task_runner_of_all_scripts_is_said_once(server: LiveServer) -> None:
    """SCR-053, SCR-004."""
    perl = {"type": "io.kestra.plugin.scripts.perl.Script", "script": 'print "ran"'}
    defaults = [{"type": "io.kestra.plugin.scripts", "values": {"taskRunner": {"type": Process.type_name}}}]
    ended = await run_tasks(server, perl, pluginDefaults=defaults)
    assert ended.state == "SUCCESS", ended.messages
    assert ended.outputs["t1"]["taskRunner"] == {"type": Process.type_name}
    assert ended.messages == ["ran"]
