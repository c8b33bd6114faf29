"""Namespace files in the working directory of a script: the property `namespaceFiles`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.scripts.input_files import make_runnable
from penstock.builtin.scripts.patterns import namespace_regex
from penstock.sdk import PluginError, PluginModel, Property, RunContext

IfExists = Literal["OVERWRITE", "FAIL", "WARN", "IGNORE"]


class NamespaceFileExists(PluginError):
    """Two namespace files have the same path, or one has that of a file that is there already."""

    code = "NAMESPACE_FILE_EXISTS"


class NamespaceFiles(PluginModel):
    """Which namespace files are copied into the working directory. Implements SCR-020, ENG-349, ENG-350."""

    enabled: Property[bool] = Field(Property.of(True), description="Whether any are.")
    include: Property[list[str]] | None = Field(None, description="Patterns of those wanted; all by default.")
    exclude: Property[list[str]] | None = Field(None, description="Patterns of those unwanted.")
    namespaces: Property[list[str]] | None = Field(
        None, description="Where to take them from, the last one winning; the flow's namespace by default."
    )
    if_exists: Property[IfExists] = Field(
        Property.of("OVERWRITE"), description="What to do when there is a file of that path already."
    )
    folder_per_namespace: Property[bool] = Field(
        Property.of(False), description="Put the files of each namespace into a folder with its name."
    )

    def load(self, context: RunContext) -> None:
        """Copy the files."""
        if not context.render(self.enabled):
            return
        if_exists = context.render(self.if_exists)
        by_namespace = context.render(self.folder_per_namespace)
        for namespace in context.render(self.namespaces) or [str(context.variables["flow"]["namespace"])]:
            for path in self._wanted(context, namespace):
                target = context.resolve(f"{namespace}/{path}" if by_namespace else path)
                if target.exists() and not _may_replace(context, path, if_exists):
                    continue
                context.get_file(f"nsfile://{namespace}/{quote(path)}", target)
                make_runnable(target)

    def _wanted(self, context: RunContext, namespace: str) -> Iterator[str]:
        include = [namespace_regex(pattern) for pattern in context.render(self.include) or ()]
        exclude = [namespace_regex(pattern) for pattern in context.render(self.exclude) or ()]
        found: Sequence[str] = context.call("namespaceFiles", namespace=namespace)
        for path in sorted(name.lstrip("/") for name in found):
            if include and not any(regex.fullmatch(path) for regex in include):
                continue
            if not any(regex.fullmatch(path) for regex in exclude):
                yield path


def _may_replace(context: RunContext, path: str, if_exists: IfExists) -> bool:
    message = f"namespace file `{path}` meets a file that is there already"
    if if_exists == "FAIL":
        raise NamespaceFileExists(message, hint="rename one of them, or change `namespaceFiles.ifExists`")
    if if_exists == "WARN":
        context.logger.warning(f"{message}; it is not copied")
    if if_exists == "OVERWRITE":
        context.logger.debug(f"{message}, and replaces it")
    return if_exists == "OVERWRITE"
