"""The commands of `penstock flow` that work with a server. Implements OPS-112 in part, IAC-061, IAC-062."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Api
from penstock.cli.spread import spread

if TYPE_CHECKING:
    from penstock.cli.pushing import Pushed

app = typer.Typer(rich_markup_mode=None)
namespace = typer.Typer(no_args_is_help=True, help="All flows of a namespace.", rich_markup_mode=None)
app.add_typer(namespace, name="namespace")

File = Annotated[Path, typer.Argument(help="The file with the flow.", metavar="FILE")]
Namespace = Annotated[str, typer.Argument(help="The flow's namespace.", show_default=False)]
FlowId = Annotated[str, typer.Argument(metavar="ID", help="The flow's id.", show_default=False)]


@namespace.callback()
def _group() -> None:
    pass


@app.command("list")
@spread
def list_flows(
    api: Api,
    of: Annotated[str | None, typer.Option("--namespace", help="Only flows of this namespace.")] = None,
) -> None:
    """List the flows of a server.

    \b
    Examples:
      penstock flow list --server http://my-server:8080
      penstock flow list --namespace company.team --user me@example.com:secret
    """
    from penstock.cli.ctl.showing import Column, Output, show
    from penstock.cli.remote import path_of

    with api.remote() as remote:
        found = remote.get(path_of("flows", of)) if of else list(remote.pages("flows/search"))
    columns = [Column("ID", "id"), Column("NAMESPACE", "namespace"), Column("REVISION", "revision")]
    show(Output.TABLE, found, columns, empty="no flows found")


@app.command("create")
@spread
def create(file: File, api: Api) -> None:
    """Create a flow on a server.

    \b
    Example:
      penstock flow create new-flow.yaml --user me@example.com:secret
    """
    from penstock.cli.including import expanded
    from penstock.cli.terminal import say

    source = expanded(file)
    with api.remote() as remote:
        made = remote.send_yaml("POST", "flows", source)
    say(f"{made['namespace']}.{made['id']} is created")


@app.command("update")
@spread
def update(file: File, of: Namespace, flow: FlowId, api: Api) -> None:
    """Give a flow on a server a new revision.

    \b
    Example:
      penstock flow update my-flow.yaml company.team my-flow
    """
    from penstock.cli.including import expanded
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    source = expanded(file)
    with api.remote() as remote:
        made = remote.send_yaml("PUT", path_of("flows", of, flow), source)
    say(f"{of}.{flow} has revision {made['revision']}")


@app.command("updates")
@spread
def updates(
    folder: Annotated[Path, typer.Argument(help="Folder of flow files.", metavar="FOLDER")],
    api: Api,
    delete: Annotated[bool, typer.Option("--delete", help="Delete other flows of --namespace.")] = False,
    of: Annotated[
        str | None, typer.Option("--namespace", help="The namespace that all must be of, or lie below.")
    ] = None,
) -> None:
    """Create or update all flows of a folder on a server; none when one of them is wrong.

    \b
    Examples:
      penstock flow updates ./flows
      penstock flow updates ./flows --namespace company.team --delete
    """
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.pushing import push

    if delete and of is None:
        raise InvalidRequestError("--delete without --namespace would delete all other flows of the server",
                                  hint="name the namespace whose flows the folder holds")  # fmt: skip
    with api.remote() as remote:
        _report(push(remote, folder, namespace=of, delete=delete))


@app.command("delete")
@spread
def delete_flow(of: Namespace, flow: FlowId, api: Api) -> None:
    """Delete a flow from a server.

    \b
    Example:
      penstock flow delete company.team my-flow
    """
    from penstock.cli.remote import path_of
    from penstock.cli.terminal import say

    with api.remote() as remote:
        remote.ask("DELETE", path_of("flows", of, flow))
    say(f"{of}.{flow} is deleted")


@app.command("export")
@spread
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write the archive into.", metavar="FOLDER")],
    api: Api,
    of: Annotated[str | None, typer.Option("--namespace", help="Only flows of this one and those below it.")] = None,
) -> None:
    """Write the flows of a server into a ZIP archive, `flows.zip`.

    \b
    Example:
      penstock flow export --namespace company.team ./backup
    """
    from penstock.cli.terminal import say

    filters = {"filters[namespace][PREFIX]": of} if of else {}
    with api.remote() as remote:
        content = remote.ask("GET", "flows/export/by-query", params=filters).content
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "flows.zip"
    target.write_bytes(content)
    say(str(target))


@namespace.command("update")
@spread
def update_namespace(
    places: Annotated[
        list[str], typer.Argument(metavar="[NAMESPACE] FOLDER", help="The namespace, and the file or folder of flows.")
    ],
    api: Api,
    delete: Annotated[bool, typer.Option("--delete/--no-delete", help="Delete others of the namespace.")] = True,
    override: Annotated[
        bool, typer.Option("--override-namespaces", help="Put flows of other namespaces into this one.")
    ] = False,
) -> None:
    """Make the flows of a folder those of a namespace on a server; none is changed when one is wrong.

    Without a namespace it is the one that all of the flows say.

    \b
    Examples:
      penstock flow namespace update company.team ./flows
      penstock flow namespace update company.team ./flows --no-delete --server http://my-server:8080
    """
    from penstock.cli.pushing import namespace_of, push_namespace

    if len(places) > 2:
        raise typer.BadParameter("give a namespace and a folder")
    path = Path(places[-1])
    with api.remote() as remote:
        of = places[0] if len(places) == 2 else namespace_of(path)
        _report(push_namespace(remote, of, path, delete=delete, override=override))


def _report(pushed: Pushed) -> None:
    from penstock.cli.errors import show_problems
    from penstock.cli.terminal import say, tell

    for one in pushed.problems:
        show_problems(one.problems, str(one.file), one.source)
    if pushed.problems:
        tell("nothing was changed")
        raise typer.Exit(1)
    for name in pushed.stored:
        say(".".join(name))
