"""Files of a machine reached by SFTP: one by one, and many at once."""

from __future__ import annotations

import json
import posixpath
from typing import ClassVar, Literal

from pydantic import Field

from penstock.builtin.fs.sftp_session import Machine, RemoteFile, Session, SftpError
from penstock.builtin.serdes.files import new_file
from penstock.sdk import Output, Property, RunContext, Task, file_name

Action = Literal["MOVE", "DELETE", "NONE"]


class Moved(Output):
    """Where a file was, and where it is."""

    from_: str = Field(alias="from", description="The URI of the file that was taken.")
    to: str = Field(description="The URI of the one that was made.")


class Upload(Machine, Task):
    """Copy a file to a machine by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: report
      type: io.kestra.plugin.fs.sftp.Upload
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from: "{{ outputs.make.uri }}"
      to: /reports/january.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.fs.sftp.Upload"
    output_type: ClassVar[type[Output] | None] = Moved

    from_: Property[str] = Field(alias="from", description="The file's URI.")
    to: Property[str] | None = Field(None, description="The path there; in the root, with the same name, by default.")

    def run(self, context: RunContext) -> Moved:
        """Upload."""
        uri = context.render(self.from_)
        with self.session(context) as session:
            path = session.path(context.render(self.to) or file_name(uri))
            _upload(context, session, uri, path)
            return Moved.model_validate({"from": uri, "to": session.uri(path)})


class UploadedFiles(Output):
    """What `Uploads` gives."""

    files: list[str] = Field(description="The URIs of the files on the machine.")


class Uploads(Machine, Task):
    """Copy files to a folder of a machine by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.fs.sftp.Uploads
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from:
        - "{{ outputs.first.uri }}"
        - "{{ outputs.second.uri }}"
      to: /reports
    ```
    """

    type_name = "io.kestra.plugin.fs.sftp.Uploads"
    output_type: ClassVar[type[Output] | None] = UploadedFiles

    from_: Property[str | list[str]] = Field(alias="from", description="The files' URIs.")
    to: Property[str] = Field(description="The folder there.")

    def run(self, context: RunContext) -> UploadedFiles:
        """Upload one after the other."""
        given = context.render(self.from_)
        uris: list[str] = json.loads(given) if isinstance(given, str) and given.startswith("[") else _listed(given)
        with self.session(context) as session:
            folder, made = session.path(context.render(self.to)), []
            for uri in uris:
                path = posixpath.join(folder, file_name(uri))
                _upload(context, session, uri, path)
                made.append(session.uri(path))
        return UploadedFiles(files=made)


class Download(Machine, Task):
    """Copy a file of a machine into internal storage by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: orders
      type: io.kestra.plugin.fs.sftp.Download
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from: /out/orders.csv
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.fs.sftp.Download"
    output_type: ClassVar[type[Output] | None] = Moved

    from_: Property[str] = Field(alias="from", description="The path there.")

    def run(self, context: RunContext) -> Moved:
        """Download."""
        with self.session(context) as session:
            path = session.path(context.render(self.from_))
            return Moved.model_validate({"from": session.uri(path), "to": session.download(context, path)})


class Deleted(Output):
    """What `Delete` gives."""

    uri: str = Field(description="The file's URI on the machine.")
    deleted: bool = Field(description="Whether there was such a file.")


class Delete(Machine, Task):
    """Delete a file of a machine by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: tidy
      type: io.kestra.plugin.fs.sftp.Delete
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      uri: /out/orders.csv
    ```
    """

    type_name = "io.kestra.plugin.fs.sftp.Delete"
    output_type: ClassVar[type[Output] | None] = Deleted

    uri: Property[str] = Field(description="The path there.")
    error_on_missing: Property[bool] = Field(Property.of(False), description="Fail when there is no such file.")

    def run(self, context: RunContext) -> Deleted:
        """Delete."""
        with self.session(context) as session:
            path = session.path(context.render(self.uri))
            found = session.delete(path)
            if not found and context.render(self.error_on_missing):
                raise SftpError(f"{path}: there is no such file", hint="see `uri`")
            return Deleted(uri=session.uri(path), deleted=found)


class Move(Machine, Task):
    """Move a file of a machine by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: archive
      type: io.kestra.plugin.fs.sftp.Move
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from: /out/orders.csv
      to: /archive/
    ```
    """

    type_name = "io.kestra.plugin.fs.sftp.Move"
    output_type: ClassVar[type[Output] | None] = Moved

    from_: Property[str] = Field(alias="from", description="The path there.")
    to: Property[str] = Field(description="The new path there; a folder when it ends with `/`.")
    overwrite: Property[bool] = Field(Property.of(False), description="Whether a file of that path may be replaced.")

    def run(self, context: RunContext) -> Moved:
        """Move."""
        with self.session(context) as session:
            source, wish = session.path(context.render(self.from_)), context.render(self.to)
            target = session.path(wish + posixpath.basename(source) if wish.endswith("/") else wish)
            session.move(source, target, overwrite=context.render(self.overwrite))
            return Moved.model_validate({"from": session.uri(source), "to": session.uri(target)})


class Listing(Machine):
    """Files of a folder."""

    from_: Property[str] = Field(alias="from", description="The folder there.")
    reg_exp: Property[str] | None = Field(
        None, description="A regular expression that the whole of a path has to match."
    )
    recursive: Property[bool] = Field(Property.of(False), description="Whether folders in it are looked into.")

    def found(self, context: RunContext, session: Session) -> list[RemoteFile]:
        """Return the files and folders."""
        pattern, deep = context.render(self.reg_exp), context.render(self.recursive)
        return list(session.find(context, context.render(self.from_), pattern, deep=deep))


class Acting(Listing):
    """Files of which something becomes when they have been downloaded."""

    action: Property[Action] = Field(description="What becomes of the files: they are moved, deleted, or left.")
    move_directory: Property[str] | None = Field(None, description="The folder there that they are moved to.")

    def files(self, context: RunContext, session: Session) -> list[RemoteFile]:
        """Return the files, without folders.

        Raises:
            SftpError: It is not said where they are moved to.
        """
        if context.render(self.action) == "MOVE" and self.move_directory is None:
            raise SftpError("it is not said where files are moved to", hint="set `moveDirectory`")
        return [one for one in self.found(context, session) if not one.is_folder]

    def act(self, context: RunContext, session: Session, found: list[RemoteFile]) -> None:
        """Move or delete files."""
        action, folder = context.render(self.action), session.path(context.render(self.move_directory, ""))
        for one in found:
            if action == "MOVE":
                session.move(one.server_path, posixpath.join(folder, one.name), overwrite=True)
            elif action == "DELETE":
                session.delete(one.server_path)


class FoundFiles(Output):
    """What `List` gives."""

    files: list[RemoteFile] = Field(description="The files and folders.")


class List(Listing, Task):
    """List the files of a folder of a machine by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.fs.sftp.List
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from: /reports
      regExp: ".*\\\\.csv"
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.fs.sftp.List"
    output_type: ClassVar[type[Output] | None] = FoundFiles

    def run(self, context: RunContext) -> FoundFiles:
        """List."""
        with self.session(context) as session:
            return FoundFiles(files=self.found(context, session))


class DownloadedFiles(FoundFiles):
    """What `Downloads` gives."""

    output_files: dict[str, str] = Field(description="The files in internal storage, by their names.")


class Downloads(Acting, Task):
    """Copy files of a folder of a machine into internal storage by SFTP. Needs `penstock[ssh]`.

    ```yaml
    - id: reports
      type: io.kestra.plugin.fs.sftp.Downloads
      host: files.example.com
      username: robot
      keyfile: "{{ secret('SFTP_KEY') }}"
      from: /out
      action: MOVE
      moveDirectory: /archive
    ```

    Implements ENG-309.
    """

    type_name = "io.kestra.plugin.fs.sftp.Downloads"
    output_type: ClassVar[type[Output] | None] = DownloadedFiles

    def run(self, context: RunContext) -> DownloadedFiles:
        """Download all, then do with the files as is wanted."""
        with self.session(context) as session:
            there = self.files(context, session)
            found = [stored(context, session, one) for one in there]
            self.act(context, session, there)
        return DownloadedFiles(files=found, output_files={one.name: one.path for one in found})


def stored(context: RunContext, session: Session, one: RemoteFile) -> RemoteFile:
    """Return a file that has been downloaded."""
    return one.model_copy(update={"path": session.download(context, one.server_path)})


def _upload(context: RunContext, session: Session, uri: str, path: str) -> None:
    local = new_file(context, "upload")
    context.get_file(uri, local)
    session.upload(local, path)


def _listed(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given
