"""Blueprints with arguments: `<< expressions >>` and `<% tags %>` that make a flow of them.

A template is not YAML before it is rendered. Its arguments are declared as inputs are, below `extend` at its beginning
or wherever else at the top level; the rest is text. What flows themselves write in braces stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from penstock.expressions import evaluate, render
from penstock.model.flow import ParsedFlow
from penstock.model.inputs import read_inputs
from penstock.model.problems import InvalidFlow, Problem, Severity
from penstock.model.scalars import plain
from penstock.model.yaml import read_yaml

EXTEND = re.compile(r"^extend:[ \t]*\n(?:[ \t].*(?:\n|\Z)|\n)*", re.MULTILINE)
"""What is told about a blueprint: a block at the top level of its text."""
_CODE = re.compile(r"<<(?!:)(?P<value>.+?)>>|<%(?P<tag>.+?)%>", re.DOTALL)
_BRACES = ("{{", "}}", "{%", "%}", "{#", "#}")
_HIDDEN = tuple(chr(0xE000 + index) for index in range(len(_BRACES)))
"""What stands for braces while the text is rendered: characters of nobody's alphabet."""
_ANY_TASK = {"id": "task", "type": "io.kestra.plugin.core.log.Log", "message": "-"}

Parse = Callable[[Mapping[str, Any]], ParsedFlow]
"""Reads a flow from its data."""


def arguments_of(text: str) -> list[dict[str, Any]] | None:
    """Return the arguments a blueprint declares as they are written; None when it is no template.

    Raises:
        InvalidFlow: What is told below `extend` cannot be read.
    """
    found = EXTEND.search(text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    yaml = read_yaml(found.group(), line)
    if yaml.problems:
        raise InvalidFlow(yaml.problems)
    told = plain(yaml.data)["extend"]
    if not isinstance(told, Mapping) or "templateArguments" not in told:
        return None
    arguments = told["templateArguments"]
    if not isinstance(arguments, list) or not all(isinstance(one, dict) for one in arguments):
        place = "extend.templateArguments"
        raise InvalidFlow([Problem(Severity.ERROR, place, "it is no list of inputs", "write an input each", line, 1)])
    return arguments


def check_arguments(arguments: list[dict[str, Any]], parse: Parse) -> ParsedFlow:
    """Return a flow with these arguments as its inputs.

    Raises:
        InvalidFlow: One of them is no input; carries every problem.
    """
    parsed = parse({"id": "blueprint", "namespace": "blueprint", "inputs": arguments, "tasks": [_ANY_TASK]})
    wrong = [problem for problem in parsed.problems if problem.severity is Severity.ERROR]
    if wrong:
        places = [problem.path.replace("inputs", "extend.templateArguments", 1) for problem in wrong]
        raise InvalidFlow(
            [
                Problem(Severity.ERROR, place, one.message, one.hint, 1, 1, one.code)
                for place, one in zip(places, wrong, strict=True)
            ]
        )
    return parsed


def made_of(text: str, values: Mapping[str, Any], parse: Parse) -> str:
    """Return the text of the flow that a blueprint makes with these arguments. Implements GOV-348 to GOV-351.

    Raises:
        InvalidFlow: What it declares cannot be read.
        InvalidInputs: An argument is missing, wrong or unknown.
        ExpressionError: The text cannot be rendered.
    """
    arguments = arguments_of(text)
    if arguments is None:
        return text
    document = check_arguments(arguments, parse).document
    assert document is not None
    given = read_inputs(document.inputs, values, lambda template, known: evaluate(template, known))
    hidden = _translated(EXTEND.sub("", text, count=1), _BRACES, _HIDDEN)
    template = _CODE.sub(lambda code: f"{{{{{code['value']}}}}}" if code["value"] else f"{{%{code['tag']}%}}", hidden)
    return _translated(render(template, {"arg": given}), _HIDDEN, _BRACES).lstrip("\n")


def _translated(text: str, words: tuple[str, ...], others: tuple[str, ...]) -> str:
    for word, other in zip(words, others, strict=True):
        text = text.replace(word, other)
    return text
