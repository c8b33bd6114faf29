"""Functions that reach what is not in the variables. All go through the resolver; nothing is read here.

Declares the calls of EXP-144 to EXP-149, EXP-157, EXP-162, EXP-169 to EXP-171; the resolver answers them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penstock.expressions.frame import Frame
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import UNDEFINED

_NAMESPACE = Parameter("namespace", None, lenient=True)


def _outside(name: str, summary: str, parameters: tuple[Parameter, ...] = (), *, confidential: bool = False) -> Entry:
    return Entry(
        name, _call(name, parameters), summary, parameters, context=True, outside=True, confidential=confidential
    )


def _call(name: str, parameters: tuple[Parameter, ...]) -> Callable[..., Any]:
    names = tuple(parameter.name for parameter in parameters)

    def call(frame: Frame, *values: Any) -> Any:
        arguments = dict(zip(names, values, strict=True))
        # Whatever is no name of a namespace means the flow's own (EXP-148).
        if "namespace" in arguments and not isinstance(arguments["namespace"], str):
            arguments["namespace"] = None
        given = {key: None if value is UNDEFINED else value for key, value in arguments.items()}
        return frame.call_outside(name, given)

    return call


_FILE = (Parameter("uri"), _NAMESPACE)

ENTRIES = [
    _outside("secret", "A secret.", (Parameter("key"), _NAMESPACE, Parameter("subkey", None)), confidential=True),
    _outside("credential", "The short-lived token of a managed credential.", (Parameter("key"),), confidential=True),
    _outside("read", "The text of a file; of binary Ion its text form.", (Parameter("path"), _NAMESPACE)),
    _outside("fileURI", "The internal URI of a namespace file.", (Parameter("path"), _NAMESPACE)),
    _outside(
        "kv",
        "A value of the key-value store.",
        (Parameter("key"), _NAMESPACE, Parameter("errorOnMissing", True)),
        confidential=True,
    ),
    _outside(
        "encrypt",
        "Text encrypted with a key in base64, or with that of a named secret.",
        (Parameter("key"), Parameter("value")),
    ),
    _outside(
        "decrypt", "Text that `encrypt` made, decrypted.", (Parameter("key"), Parameter("value")), confidential=True
    ),
    _outside("errorLogs", "The error logs of the execution."),
    _outside("appLink", "The link of an app.", (Parameter("appId", None), Parameter("baseUrl", False))),
    _outside("randomPort", "A free local port."),
    _outside(
        "http",
        "The parsed body of an HTTP response.",
        (
            Parameter("uri"),
            Parameter("method", "GET"),
            Parameter("query", None),
            Parameter("body", None),
            Parameter("contentType", "application/json"),
            Parameter("headers", None),
            Parameter("options", None),
            Parameter("accept", "application/json"),
        ),
    ),
    _outside("fileSize", "The size of a file in bytes.", _FILE),
    _outside("fileExists", "Whether a file exists.", _FILE),
    _outside("isFileEmpty", "Whether a file is empty.", _FILE),
]
