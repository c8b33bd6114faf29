import os
import shutil
import stat
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.builtin.scripts.environments import DependenciesFailed
from penstock.builtin.scripts.python_header import ScriptHeaderInvalid
from penstock.builtin.scripts.task import TaskException
from penstock.services.worker.settings import WorkerSettings, task_environment
from penstock.testing.run_context import RunContextFactory, messages_of
from tests.builtin.scripts.making import python_commands, python_script, said, wheel
from tests.support.waiting import PATIENCE

# What the published helper package for scripts writes, as its own functions format it.
HELPER = """
import json, logging, sys

class Kestra:
    @staticmethod
    def _send(message):
        print("::" + json.dumps(message) + "::")

    @staticmethod
    def outputs(values):
        Kestra._send({"outputs": values})

    @staticmethod
    def counter(name, value, tags=None):
        Kestra._send({"metrics": [{"name": name, "type": "counter", "value": value, "tags": tags or {}}]})

    @staticmethod
    def timer(name, value, tags=None):
        Kestra._send({"metrics": [{"name": name, "type": "timer", "value": value, "tags": tags or {}}]})

    @staticmethod
    def log(level, text):
        print("::" + json.dumps({"logs": [{"level": level, "message": text}]}) + "::", file=sys.stderr)
"""


@pytest.fixture
def cached(tmp_path: Path) -> Iterator[RunContextFactory]:
    """Contexts whose cache folder is the test's own."""
    environment = {**task_environment(os.environ), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with RunContextFactory(settings=WorkerSettings(threads=1, environment=environment)) as factory:
        yield factory


def environments(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache" / "penstock" / "python").iterdir() if path.is_symlink()]


def test_script_is_rendered_and_run_beside_its_modules(contexts: RunContextFactory) -> None:
    """SCR-003, SCR-007, ENG-117."""
    context = contexts.of({"attempts": 3, "data": [{"id": 1}]})
    text = "import helper\nfor n in range({{ attempts }}): print(helper.double(n))\nprint({{ data | first }}['id'])"
    output = python_script(text, inputFiles={"helper.py": "def double(n): return 2 * n"}, outputFiles=["*.py"]).run(
        context
    )
    assert said(context) == ["0", "2", "4", "1"]
    assert set(output.output_files) == {"helper.py"}


def test_script_with_the_helper_package_gives_outputs_metrics_and_logs(contexts: RunContextFactory) -> None:
    """SCR-038, ENG-340."""
    context = contexts.of()
    text = textwrap.dedent("""
        from kestra import Kestra
        Kestra.outputs({"total": 12.5, "nested": {"a": [1, "ü", None]}})
        Kestra.counter("rows", 42, {"zone": "EU", "new": True})
        Kestra.timer("took", 42.42)
        Kestra.log("WARN", "2026-01-01 - careful")
    """)
    output = python_script(text, inputFiles={"kestra.py": HELPER}).run(context)
    assert output.vars == {"total": 12.5, "nested": {"a": [1, "ü", None]}}
    assert messages_of(context) == [("WARN", "2026-01-01 - careful")]
    assert [(one.type, one.name, one.value, dict(one.tags)) for one in context.log.take_metrics()] == [
        ("counter", "rows", 42.0, {"zone": "EU", "new": "true"}),
        ("timer", "took", 42.42, {}),
    ]


def test_script_with_the_real_package_gives_outputs_metrics_and_logs(contexts: RunContextFactory) -> None:
    """ENG-340, SCR-038."""
    context = contexts.of()
    text = textwrap.dedent("""
        from kestra import Kestra
        Kestra.outputs({"total": 12.5})
        Kestra.counter("rows", 42, {"zone": "EU"})
        Kestra.timer("took", 42)
        Kestra.gauge("depth", 1.5)
        Kestra.assets({"id": "orders", "type": "TABLE"})
        Kestra.logger().warning("careful")
        Kestra.logger().info("done")
    """)
    here = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    output = python_script(text, env={"PATH": here}).run(context)
    assert output.vars == {"total": 12.5}
    assert output.assets == [{"id": "orders", "type": "TABLE"}]
    # One line goes to each stream, and nothing says which is read first.
    assert {(level, message.rpartition(" - ")[2]) for level, message in messages_of(context)} == {
        ("WARN", "careful"),
        ("INFO", "done"),
    }
    assert [(one.type, one.name, one.value) for one in context.log.take_metrics()] == [
        ("counter", "rows", 42.0),
        ("timer", "took", 42.0),
        ("gauge", "depth", 1.5),
    ]


def test_script_that_raises_fails_with_its_traceback_in_the_logs(contexts: RunContextFactory) -> None:
    context = contexts.of()
    with pytest.raises(TaskException, match="exit code 1"):
        python_script("raise ValueError('odd')").run(context)
    assert ("ERROR", "ValueError: odd") in messages_of(context)


def test_script_lines_reach_the_logs_when_they_are_written(contexts: RunContextFactory) -> None:
    """SCR-032."""
    context = contexts.of()
    ends: list[Exception] = []

    def run() -> None:
        try:
            python_script("import time\nprint('early')\ntime.sleep(300)").run(context)
        except TaskException as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    lines: list[str] = []
    deadline = time.monotonic() + PATIENCE
    while not lines and time.monotonic() < deadline:
        lines = said(context)
        time.sleep(0.02)
    assert lines == ["early"]
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert len(ends) == 1


def test_script_reads_stored_files_by_their_local_copies(contexts: RunContextFactory) -> None:
    """SCR-008."""
    context = contexts.of()
    uri = context.put_bytes(b"1,2\n", "data.csv")
    python_script(f"print(open('{uri}').read().strip())").run(context)
    assert said(context) == ["1,2"]


def test_script_before_commands_stay_in_effect(contexts: RunContextFactory) -> None:
    """SCR-005."""
    context = contexts.of()
    python_script("import os\nprint(os.environ['A'])", beforeCommands=["export A=set"]).run(context)
    assert said(context) == ["set"]


def test_commands_find_python_by_both_names(contexts: RunContextFactory) -> None:
    """SCR-003."""
    context = contexts.of()
    python_commands(
        "python hello.py one", "python3 hello.py two", inputFiles={"hello.py": "import sys; print(sys.argv[1])"}
    ).run(context)
    assert said(context) == ["one", "two"]


def test_commands_on_a_machine_without_python_on_its_path_use_the_worker_s(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cat"):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    with RunContextFactory(settings=WorkerSettings(threads=1, environment={"PATH": str(programs)})) as contexts:
        context = contexts.of()
        python_commands("python -c 'import sys; print(sys.prefix)'", "python3 -c 'print(2)'").run(context)
        assert said(context) == [sys.prefix, "2"]


def test_dependencies_are_installed_once_and_found(cached: RunContextFactory, tmp_path: Path) -> None:
    """SCR-047."""
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    for _ in range(2):
        context = cached.of()
        python_script("import greeter; print(greeter.greet())", dependencies=[str(package)]).run(context)
        assert ("INFO", "hi") in messages_of(context)
        package.unlink(missing_ok=True)
    assert len(environments(tmp_path)) == 1


def test_requirements_file_is_installed_by_the_commands_before(contexts: RunContextFactory, tmp_path: Path) -> None:
    """SCR-044, SCR-048."""
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    context = contexts.of()
    python_script(
        "import greeter; print(greeter.greet())",
        inputFiles={"requirements.txt": f"{package}\n"},
        env={"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_TARGET": "{{ workingDir }}/packages"},
        beforeCommands=["python -m pip install -r requirements.txt >/dev/null", "export PYTHONPATH=$PIP_TARGET"],
    ).run(context)
    assert ("INFO", "hi") in messages_of(context)


def test_dependencies_get_the_versions_the_revision_was_given_first(cached: RunContextFactory, tmp_path: Path) -> None:
    """BEY-036."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel(shelf, "greeter", "1.0", "version = 1\n")
    env = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(shelf)}
    task = python_script("import greeter; print(greeter.version)", dependencies=["greeter"], env=env)

    def given() -> list[str]:
        context = cached.of({"flow": {"revision": 3}})
        task.run(context)
        return [text for level, text in messages_of(context) if level == "INFO"]

    assert given() == ["1"]
    assert [lock.strip() for lock in cached.gateway.locks.values()] == ["greeter==1.0"]
    wheel(shelf, "greeter", "2.0", "version = 2\n")
    shutil.rmtree(tmp_path / "cache" / "penstock")  # as on another worker
    assert given() == ["1"]
    cached.gateway.locks.clear()  # as for another revision
    assert given() == ["2"]
    assert len(environments(tmp_path)) == 2


def test_dependencies_are_there_for_commands_too(cached: RunContextFactory, tmp_path: Path) -> None:
    package = wheel(tmp_path, "greeter", "1.0", "print('imported')\n")
    context = cached.of({"package": str(package)})
    python_commands("python -m greeter", dependencies=["{{ package }}"]).run(context)
    assert ("INFO", "imported") in messages_of(context)


def test_dependencies_of_the_script_s_own_header_are_installed(cached: RunContextFactory, tmp_path: Path) -> None:
    """BEY-036."""
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    header = f"# /// script\n# requires-python = '>=3.8'\n# dependencies = [\n#   '{package}',\n# ]\n# ///\n"
    context = cached.of()
    python_script(f"{header}\nimport greeter; print(greeter.greet())").run(context)
    assert ("INFO", "hi") in messages_of(context)


def test_dependencies_in_a_header_that_is_no_toml_are_refused(contexts: RunContextFactory) -> None:
    with pytest.raises(ScriptHeaderInvalid, match="no TOML"):
        python_script("# /// script\n# dependencies = [\n# ///\nprint(1)").run(contexts.of())


def test_dependencies_not_to_be_kept_leave_nothing(cached: RunContextFactory, tmp_path: Path) -> None:
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    context = cached.of()
    task = python_script(
        "import greeter, sys; print(greeter.greet(), sys.prefix)",
        dependencies=[str(package)],
        dependencyCacheEnabled=False,
    )
    task.run(context)
    (line,) = [message for level, message in messages_of(context) if level == "INFO"]
    assert line.startswith("hi ")
    assert not Path(line.removeprefix("hi ")).exists()
    assert not (tmp_path / "cache" / "penstock").exists()


def test_dependencies_wanted_by_two_at_once_are_installed_once(cached: RunContextFactory, tmp_path: Path) -> None:
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    contexts = [cached.of(), cached.of()]
    task = python_script("import greeter; print(greeter.greet())", dependencies=[str(package)])
    threads = [threading.Thread(target=task.run, args=[context]) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    logs = [messages_of(context) for context in contexts]
    assert all(("INFO", "hi") in lines for lines in logs)
    assert sum(any(text.startswith("installing") for _, text in lines) for lines in logs) == 1


def test_dependencies_left_half_made_are_made_anew(cached: RunContextFactory, tmp_path: Path) -> None:
    """BEY-036: made aside, renamed into place when they are complete."""
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    task = python_script("import greeter; print(greeter.greet())", dependencies=[str(package)])
    task.run(cached.of())
    (link,) = environments(tmp_path)
    made = link.resolve()
    link.unlink()  # it is put there last
    shutil.rmtree(made / "lib")
    context = cached.of()
    task.run(context)
    assert ("INFO", "hi") in messages_of(context)
    assert not made.exists()
    assert link.resolve().parent == made.parent


def test_dependencies_that_cannot_be_installed_say_why(cached: RunContextFactory, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0-py3-none-any.whl"
    broken.write_bytes(b"no wheel")
    with pytest.raises(DependenciesFailed, match=r"cannot be installed: .*(broken|zip)"):
        python_script("print(1)", dependencies=[str(broken)]).run(cached.of())


def test_dependencies_without_uv_are_installed_by_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SCR-047, BEY-036: from a lock as well."""
    package = wheel(tmp_path, "greeter", "1.0", "def greet(): return 'hi'\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    monkeypatch.setattr(sys, "executable", str(Path(sys.base_prefix, "bin", "python3")))
    environment = {"PATH": str(programs), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PIP_NO_INDEX": "1"}
    with RunContextFactory(settings=WorkerSettings(threads=1, environment=environment)) as contexts:
        context = contexts.of()
        python_script("import greeter; print(greeter.greet())", dependencies=[str(package)]).run(context)
        assert ("INFO", "hi") in messages_of(context)
        assert list(contexts.gateway.locks.values()) == [f"greeter @ {package.as_uri()}\n"]


def test_dependencies_are_kept_where_nobody_else_may_write(cached: RunContextFactory, tmp_path: Path) -> None:
    package = wheel(tmp_path, "greeter", "1.0", "")
    python_script("import greeter", dependencies=[str(package)]).run(cached.of())
    mode = (tmp_path / "cache" / "penstock" / "python").stat().st_mode
    assert not mode & (stat.S_IWGRP | stat.S_IWOTH)
