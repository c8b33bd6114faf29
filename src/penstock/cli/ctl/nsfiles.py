"""`penstock ctl nsfiles`: files of namespaces. Implements OPS-119 and OPS-122 in part (`nsfiles`), ENG-356."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.ctl.options import Given, connect, output_of, remember
from penstock.cli.spread import spread

app = typer.Typer(no_args_is_help=True, help="Work with files of namespaces.", rich_markup_mode=None)
app.callback()(remember)

Namespace = Annotated[str, typer.Argument(help="The files' namespace.", show_default=False)]
RemotePath = Annotated[str, typer.Argument(metavar="PATH", help="Path in the namespace.", show_default=False)]


@app.command("list")
@spread
def list_files(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    path: Annotated[str, typer.Option("--path", help="Only what lies in this folder.")] = "",
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="What lies deeper, too.")] = False,
) -> None:
    """List files and folders.

    \b
    Examples:
      penstock ctl nsfiles list my.namespace
      penstock ctl nsfiles list my.namespace --path scripts --recursive
    """
    from penstock.cli.ctl.files import NamespaceFiles
    from penstock.cli.ctl.showing import Column, show

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        found = [one.as_row() for one in NamespaceFiles(remote, namespace).walk(path, recursive=recursive)]
    columns = [
        Column("PATH", "path"),
        Column("TYPE", "type"),
        Column("SIZE", "size"),
        Column("MODIFIED", "lastModifiedTime"),
    ]
    show(output, found, columns, empty="no files found")


@app.command("get")
@spread
def get(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    path: RemotePath,
    to: Annotated[Path | None, typer.Option("--to", help="Write it to this file, not to standard output.")] = None,
    revision: Annotated[int | None, typer.Option("--revision", help="This revision, not the latest.")] = None,
) -> None:
    """Download a file.

    \b
    Examples:
      penstock ctl nsfiles get my.namespace scripts/main.py
      penstock ctl nsfiles get my.namespace scripts/main.py --to main.py
    """
    import sys

    from penstock.cli.ctl.files import NamespaceFiles

    with connect(ctx, given) as remote:
        pieces = NamespaceFiles(remote, namespace).read(path, revision)
        if to is not None:
            with to.open("wb") as file:
                file.writelines(pieces)
            return
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()


@app.command("upload")
@spread
def upload(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    local: Annotated[Path, typer.Argument(metavar="LOCAL", help="A file, or a folder with all that is in it.")],
    path: Annotated[str, typer.Option("--path", help="Folder of the namespace to put it into.")] = "",
    override: Annotated[bool, typer.Option("--override", help="Replace files that exist and differ.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first file that fails.")] = False,
) -> None:
    """Upload a file, or what lies in a folder (but not in its `.git`); what is the same already is left alone.

    Exit code: 0 when all files are there, 1 when one could not be uploaded.

    \b
    Examples:
      penstock ctl nsfiles upload prod ./scripts --override
      penstock ctl nsfiles upload prod ./assets --path resources --override --fail-fast
    """
    from dataclasses import asdict

    from penstock.cli.ctl.files import NamespaceFiles
    from penstock.cli.ctl.showing import Column, show
    from penstock.cli.terminal import tell

    output = output_of(ctx, given)
    with connect(ctx, given) as remote:
        files = NamespaceFiles(remote, namespace)
        done = list(files.upload(local, path, override=override, fail_fast=fail_fast))
    columns = [Column(title.upper(), title) for title in ("action", "path", "file")]
    show(output, [asdict(one) for one in done], columns, empty=f"there are no files in {local}")
    failed = [one for one in done if one.action == "failed"]
    for one in failed:
        tell(f"{one.file}: {one.message}" + (f"\n  hint: {one.hint}" if one.hint else ""))
    if failed:
        raise typer.Exit(1)


@app.command("delete")
@spread
def delete(
    ctx: typer.Context,
    given: Given,
    namespace: Namespace,
    path: RemotePath,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Delete a folder with all in it.")] = False,
) -> None:
    """Delete a file with all its revisions.

    \b
    Examples:
      penstock ctl nsfiles delete my.namespace scripts/main.py
      penstock ctl nsfiles delete my.namespace scripts --recursive
    """
    from penstock.cli.ctl.files import NamespaceFiles
    from penstock.cli.terminal import say

    with connect(ctx, given) as remote:
        NamespaceFiles(remote, namespace).delete(path, recursive=recursive)
    say(f"{path} is deleted from {namespace}")
