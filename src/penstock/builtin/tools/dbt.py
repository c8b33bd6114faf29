"""dbt, with the manifest of an earlier run and the results of this one: `DbtCLI`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import msgspec
from pydantic import Field

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.task import ScriptOutput, Stage
from penstock.builtin.tools.tool_task import ToolTask, generated_file
from penstock.sdk import Output, PluginError, PluginModel, Property, RunContext

_MANIFEST = "target/manifest.json"
_RESULTS = "target/run_results.json"


class DbtError(PluginError):
    """What dbt left behind cannot be used."""

    code = "DBT_FAILED"


class Manifest(PluginModel):
    """A key-value pair that keeps a manifest."""

    key: Property[str] = Field(description="The name of the pair.")
    namespace: Property[str] | None = Field(None, description="The namespace of the pair; the flow's by default.")


class NodeResult(PluginModel):
    """How it went with a model, a test, a seed or a snapshot."""

    id: str = Field(description="Its name in the manifest.")
    status: str = Field(description="How it ended: `success`, `pass`, `error`, `fail`, `warn`, `skipped`.")
    seconds: float = Field(description="How long it took.")
    message: str | None = Field(None, description="What the database said.")


class DbtOutput(ScriptOutput):
    """What `DbtCLI` gives."""

    results: list[NodeResult] = Field(description="The results of the last command that ran nodes, by node.")


class _Result(msgspec.Struct):
    unique_id: str
    status: str
    execution_time: float = 0.0
    message: str | None = None


class _Results(msgspec.Struct):
    results: list[_Result]


class DbtCLI(ToolTask):
    """Run commands that call dbt, one after the other, until one fails.

    `profiles` is written beside the project. With `loadManifest` the manifest that an earlier run has stored by
    `storeManifest` lies in the folder `target` of the project before the first command, so that a command can tell
    what has changed since:

    ```yaml
    - id: changed
      type: io.kestra.plugin.dbt.cli.DbtCLI
      namespaceFiles:
        enabled: true
      projectDir: dbt
      loadManifest:
        key: manifest.json
      storeManifest:
        key: manifest.json
      commands:
        - dbt build --select state:modified+ --defer --state ./target --target-path ./dev
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.dbt.cli.DbtCLI"
    language: ClassVar[Language] = Language(
        "dbt",
        "cli",
        "ghcr.io/kestra-io/dbt",
        "dbt",
        "the PyPI packages `dbt-core` and an adapter, such as `dbt-duckdb`",
    )
    output_type: ClassVar[type[Output] | None] = DbtOutput

    profiles: Property[str] | None = Field(None, description="The text of `profiles.yml`.")
    project_dir: Property[str] | None = Field(
        None, description="The folder with `dbt_project.yml`; the working directory by default."
    )
    load_manifest: Manifest | None = Field(None, description="The manifest to find before the first command.")
    store_manifest: Manifest | None = Field(None, description="Where to keep the manifest after the last command.")

    def run(self, context: RunContext) -> DbtOutput:
        """Run the commands and gather what they give."""
        output = super().run(context)
        return DbtOutput(**output.model_dump(), results=_results(self._project(context) / _RESULTS))

    @contextmanager
    def tools(self, stage: Stage) -> Iterator[Mapping[str, str]]:
        """Have the manifest of the earlier run while the commands run, and keep theirs if they succeed."""
        project = self._project(stage.context)
        if self.load_manifest is not None:
            self._load(stage.context, self.load_manifest, project / _MANIFEST)
        with super().tools(stage) as given:
            yield given
        if self.store_manifest is not None:
            self._store(stage.context, self.store_manifest, project / _MANIFEST)

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Write the profiles, and say where they and the project are."""
        given = {}
        if profiles := stage.renderer.render(self.profiles, ""):
            generated_file(stage, "profiles.yml", profiles)
            given["DBT_PROFILES_DIR"] = str(stage.place)
        if project := stage.renderer.render(self.project_dir, ""):
            given["DBT_PROJECT_DIR"] = str(stage.place / project)
        return given

    def _project(self, context: RunContext) -> Path:
        return context.resolve(context.render(self.project_dir, "."))

    @staticmethod
    def _load(context: RunContext, pair: Manifest, path: Path) -> None:
        key, namespace = context.render(pair.key), context.render(pair.namespace)
        found = context.call("kv", key=key, namespace=namespace, errorOnMissing=False)
        if found is None:
            context.logger.warning(f"there is no pair `{key}`: no manifest of an earlier run is loaded")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found.encode() if isinstance(found, str) else msgspec.json.encode(found))

    @staticmethod
    def _store(context: RunContext, pair: Manifest, path: Path) -> None:
        try:
            manifest = msgspec.json.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError):
            raise DbtError(
                f"the commands left no manifest at {_MANIFEST}", hint="set `projectDir` to the folder of the project"
            ) from None
        key, namespace = context.render(pair.key), context.render(pair.namespace)
        context.call("kvSet", key=key, value=manifest, namespace=namespace, type="JSON", overwrite=True)


def _results(path: Path) -> list[NodeResult]:
    """Return what dbt noted of the nodes it ran; nothing where it ran none."""
    if not path.is_file():
        return []
    try:
        noted = msgspec.json.decode(path.read_bytes(), type=_Results)
    except (OSError, msgspec.MsgspecError) as error:
        raise DbtError(f"{_RESULTS} cannot be read: {error}", hint="see which version of dbt has written it") from None
    return [
        NodeResult(id=one.unique_id, status=one.status, seconds=one.execution_time, message=one.message)
        for one in noted.results
    ]
