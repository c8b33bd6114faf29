"""The API's description as a page for people, made from the OpenAPI document (ENG-134).

No script, and nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { max-width: 68rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .35rem 0 } code { font-size: .95em }
details { border-bottom: 1px solid #8884 } table { border-collapse: collapse; margin: .5rem 0 }
td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 } .summary { opacity: .75; margin-left: .5rem }
"""


def description_page(document: Mapping[str, Any]) -> str:
    """Return the page."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["Other"])[0]
            by_tag.setdefault(tag, []).append(_operation(path, method, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in sorted(by_tag.items()))
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
        '<p>Every operation takes HTTP Basic authentication. <a href="openapi.json">openapi.json</a> is the same for '
        f"machines.</p>{sections}</body></html>"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parameters = "".join(_parameter(one) for one in operation.get("parameters", ()))
    table = f"<table><tr><th>parameter<th>in<th>type<th>{parameters}</table>" if parameters else ""
    answers = "".join(
        f"<tr><td>{escape(status)}<td>{_shapes(answer)}<td>{escape(answer.get('description', ''))}"
        for status, answer in operation.get("responses", {}).items()
    )
    body = operation.get("requestBody")
    wanted = f"<p>Body: {_shapes(body)}</p>" if body else ""
    return (
        f'<details id="{escape(operation.get("operationId", ""))}"><summary>'
        f'<span class="method">{method.upper()}</span><code>{escape(path)}</code>'
        f'<span class="summary">{escape(operation.get("summary", ""))}</span></summary>'
        f"<p><code>{escape(operation.get('operationId', ''))}</code></p>{table}{wanted}"
        f"<table><tr><th>answer<th>content<th>{answers}</table></details>"
    )


def _parameter(parameter: Mapping[str, Any]) -> str:
    required = " *" if parameter.get("required") else ""
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code>{required}<td>{escape(parameter['in'])}"
        f"<td>{escape(_shape(parameter.get('schema', {})))}<td>{escape(parameter.get('description', ''))}"
    )


def _shapes(part: Mapping[str, Any]) -> str:
    shown = (f"{kind} {_shape(content.get('schema', {}))}" for kind, content in part.get("content", {}).items())
    return escape(", ".join(shown))


def _shape(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if schema.get("type") == "array":
        return f"[{_shape(schema.get('items', {}))}]"
    alternatives = [_shape(one) for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return " or ".join(alternatives) or str(schema.get("type", ""))
