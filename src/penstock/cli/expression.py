"""`penstock expression`: try a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Try expressions.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    pass


@app.command("eval")
def evaluate(
    template: Annotated[str, typer.Argument(help="The template; `-` reads it from the standard input.")],
    vars_file: Annotated[Path | None, typer.Option("--vars", help="YAML or JSON file with the variables.")] = None,
    var: Annotated[list[str] | None, typer.Option("--var", help="name=value; dots make nested names.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the typed value as JSON.")] = False,
) -> None:
    """Render a template with variables from a file or the command line.

    \b
    Examples:
      penstock expression eval '{{ inputs.name | upper }}' --var inputs.name=world
      penstock expression eval '{{ outputs.t.rows | length }}' --vars context.yaml
    """
    import sys

    import yaml

    from penstock.base.codec import to_json_text
    from penstock.base.errors import InvalidRequestError
    from penstock.cli.terminal import say
    from penstock.cli.texts import text_of
    from penstock.expressions import evaluate as value_of
    from penstock.expressions import render
    from penstock.wiring.expressions import ExpressionPlan, set_up_expressions

    variables = yaml.safe_load(text_of(vars_file)) if vars_file else {}
    if not isinstance(variables, dict):
        raise InvalidRequestError(f"{vars_file} holds no map of variables", hint="write `inputs: {name: world}`")
    for pair in var or ():
        name, sign, value = pair.partition("=")
        if not sign:
            raise InvalidRequestError(f"`{pair}` is no variable", hint="write --var name=value")
        _put(variables, name.split("."), value)
    text = sys.stdin.read() if template == "-" else template
    processes = set_up_expressions(ExpressionPlan())
    try:
        say(to_json_text(value_of(text, variables)) if as_json else render(text, variables))
    finally:
        processes.close()


def _put(variables: dict[str, object], path: list[str], value: str) -> None:
    for part in path[:-1]:
        inner = variables.setdefault(part, {})
        variables = inner if isinstance(inner, dict) else {}
    variables[path[-1]] = value
