"""Files of a `WorkingDirectory` that its next run finds again: packed into one archive, unpacked before the tasks."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from penstock.builtin.scripts.input_files import PRIVATE
from penstock.builtin.scripts.patterns import glob_regex
from penstock.sdk import PluginModel, Property, RunContext, duration
from penstock.sdk.values import Duration


class DirectoryCache(PluginModel):
    """Which files are found again at the next run, and for how long. Implements ENG-328, ENG-329."""

    patterns: Property[list[str]] = Field(description="Patterns of the files, such as `node_modules/**`.")
    ttl: Duration | None = Field(None, description="How old the files may be; counted from when they were kept.")

    def restore(self, context: RunContext, task_id: str) -> bool:
        """Put the kept files into the directory; False when there are none, or only ones that are too old."""
        found = context.call("findDirectoryCache", task=task_id)
        if found is None:
            return False
        if self.ttl is not None and found["age"] > duration(context.render_text(self.ttl)):
            context.logger.info("The cached files are too old; they are made anew")
            return False
        archive = _aside(context)
        context.get_file(found["uri"], archive)
        with tarfile.open(archive) as packed:
            # Links may lead anywhere (those of a virtual environment do), but nothing is unpacked through them.
            packed.extractall(context.working_directory, filter="tar")
        archive.unlink()
        context.logger.info("The cached files were put into the working directory")
        return True

    def keep(self, context: RunContext, task_id: str) -> None:
        """Keep the files that match for the next run."""
        root = context.working_directory
        wanted = [glob_regex(pattern.removeprefix("./")) for pattern in context.render(self.patterns)]
        archive = _aside(context)
        with tarfile.open(archive, "w:gz", compresslevel=3) as packed:
            for name in sorted(_names(root)):
                if any(regex.fullmatch(name) for regex in wanted):
                    packed.add(root / name, name, recursive=False)
        uri = context.put_file(archive, "cache.tar.gz")
        context.call("keepDirectoryCache", task=task_id, uri=uri)


def _aside(context: RunContext) -> Path:
    """Return a path for the archive that no task sees."""
    folder = context.resolve(PRIVATE)
    folder.mkdir(exist_ok=True)
    return folder / "cache.tar.gz"


def _names(root: Path) -> Iterator[str]:
    """Yield the relative paths of all files and links."""
    for parent, folders, names in os.walk(root):
        if PRIVATE in folders:
            folders.remove(PRIVATE)
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in (*names, *links):
            yield Path(parent, name).relative_to(root).as_posix()
