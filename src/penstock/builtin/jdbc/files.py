"""Databases that are files, of which a task may work on a copy."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.jdbc.address import file_address
from penstock.builtin.jdbc.fetching import Fetched
from penstock.builtin.jdbc.tasks import Connected, ManyFetched
from penstock.sdk import Property, RunContext


class FileFetched(Fetched):
    """What a statement gives, and the database."""

    database_uri: str | None = Field(None, description="The database, with `outputDbFile`.")


class FilesFetched(ManyFetched):
    """What several statements give, and the database."""

    database_uri: str | None = Field(None, description="The database, with `outputDbFile`.")


class FileDatabase(Connected):
    """A file with a database."""

    scheme: ClassVar[str]

    output_db_file: Property[bool] = Field(
        Property.of(False), description="Whether the database is stored afterwards, as output `databaseUri`."
    )

    def given(self, context: RunContext) -> str | None:
        """Return the URI of the database to work on a copy of."""
        raise NotImplementedError

    def path(self, context: RunContext) -> str:
        """Return the file's path; empty for a database in memory."""
        path = file_address(context.render(self.url), self.scheme)
        if path.startswith("md:") or (Path(path).is_absolute() and self.given(context) is None):
            return path
        if self.given(context) is not None or context.render(self.output_db_file):
            path = path or f"database.{self.scheme}"
        if self.given(context) is not None:
            path = Path(path).name
        return path and str(context.resolve(path))

    def place(self, context: RunContext) -> str:
        """Return the path of the file, which is a copy when one is given."""
        path, given = self.path(context), self.given(context)
        if given is not None:
            context.get_file(given, Path(path))
        return path

    def more_variables(self, context: RunContext) -> Mapping[str, Any]:
        """Return the place of files."""
        return {"workingDir": str(context.working_directory)}

    def left(self, context: RunContext) -> Mapping[str, Any]:
        """Return the database, when it is wanted."""
        if not context.render(self.output_db_file):
            return {}
        path = Path(self.path(context))
        if not path.is_relative_to(context.working_directory):
            path = Path(shutil.copy(path, context.resolve(path.name)))
        return {"databaseUri": context.put_file(path, keep=True)}
