"""Node.js scripts, and shell commands that call Node."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from penstock.builtin.scripts.environments import DependenciesFailed, Environments
from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.language_task import CommandsTask, FileScriptTask
from penstock.builtin.scripts.task import ScriptTask, Stage
from penstock.sdk import Property

NODE = Language("Node.js", "node", "node", "node", "the Debian package `nodejs`", "node {}", ".js")
_INSTALL = ("install", "--no-save", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
_MODULES = "node_modules"
_ELSEWHERE = '"${TMPDIR:-/tmp}/penstock-node-$$"'
"""Where packages are installed in a container, or on another machine, which other tasks may use as well."""


class NodeTask(ScriptTask):
    """What Node tasks have in common. Implements SCR-047 for Node."""

    language: ClassVar[Language] = NODE

    dependencies: Property[list[str]] | None = Field(
        None, description="Packages to install with npm; they are kept for later runs of any flow."
    )
    dependency_cache_enabled: Property[bool] = Field(
        Property.of(True), description="Whether the installed packages are kept for later runs."
    )

    def setup(self, stage: Stage) -> Sequence[str]:
        """Install the dependencies where the commands run, outside of what is copied back from there."""
        wanted = stage.renderer.render(self.dependencies, [])
        if not wanted:
            return ()
        return [
            f'penstock_node={_ELSEWHERE}; mkdir -p -m 700 "$penstock_node"; trap \'rm -rf "$penstock_node"\' EXIT',
            f'npm {shlex.join(_INSTALL)} --prefix "$penstock_node" -- {shlex.join(wanted)} >/dev/null',
            f'test -e {_MODULES} || ln -s "$penstock_node/{_MODULES}" {_MODULES}',
            f'export NODE_PATH="$penstock_node/{_MODULES}" PATH="$penstock_node/{_MODULES}/.bin:$PATH"',
        ]

    @contextmanager
    def tools(self, stage: Stage) -> Iterator[Mapping[str, str]]:
        """Give the packages to `require` and `import`, and their programs to the shell."""
        wanted = stage.renderer.render(self.dependencies, [])
        if not stage.on_worker or not wanted:
            yield {}
            return
        path = stage.environment.get("PATH", os.defpath)
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node is None or npm is None:
            raise DependenciesFailed(
                "`dependencies` cannot be installed: there is no `npm` on this worker",
                hint="install the Debian packages `nodejs` and `npm`, or use a task runner with containers",
            )
        environments = Environments(stage.context, stage.environment, "node")

        def build(folder: Path) -> None:
            folder.mkdir(parents=True)
            environments.call([npm, *_INSTALL, "--prefix", str(folder), "--", *wanted], folder)

        is_kept = stage.context.render(self.dependency_cache_enabled)
        with environments.folder(Path(node), wanted, build, is_kept=is_kept) as folder:
            modules = folder / _MODULES
            with _linked(modules, stage.context.working_directory / _MODULES):
                yield {"NODE_PATH": str(modules), "PATH": os.pathsep.join([str(modules / ".bin"), path])}


@contextmanager
def _linked(modules: Path, link: Path) -> Iterator[None]:
    """Have the packages beside the script, where alone `import` looks, unless it has brought its own."""
    if os.path.lexists(link):
        yield
        return
    link.symlink_to(modules)
    try:
        yield
    finally:
        if link.is_symlink():  # an `npm install` puts a folder in its place
            link.unlink()


class Commands(NodeTask, CommandsTask):
    """Run shell commands that call Node.js, one after the other, until one fails.

    Run a program of the namespace's files:

    ```yaml
    tasks:
      - id: report
        type: io.kestra.plugin.scripts.node.Commands
        namespaceFiles:
          enabled: true
        commands:
          - node report.js
    ```

    Implements SCR-001, SCR-003, SCR-009.
    """

    type_name = "io.kestra.plugin.scripts.node.Commands"


class Script(NodeTask, FileScriptTask):
    """Run a script in JavaScript.

    Give other tasks a value that JavaScript has computed:

    ```yaml
    tasks:
      - id: compute
        type: io.kestra.plugin.scripts.node.Script
        script: |
          const total = [4, 1, 7].reduce((sum, amount) => sum + amount, 0);
          console.log(`::${JSON.stringify({ outputs: { total } })}::`);
    ```

    Implements SCR-001, SCR-003, SCR-039.
    """

    type_name = "io.kestra.plugin.scripts.node.Script"
