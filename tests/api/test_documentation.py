"""The reference of the API names exactly the operations there are."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
ROW = re.compile(r"^\| (?P<method>[A-Z]+) \| `(?P<path>[^`]+)` \| `(?P<operation>\w+)` \|", re.MULTILINE)


async def test_reference_names_every_operation_and_no_other(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    served = {
        (method.upper(), path.replace("/api/v1/{tenant}", "T").replace("/api/v1/", "G/"), operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    written = set(ROW.findall(REFERENCE.read_text()))
    assert written - served == set(), "the reference names what is not served"
    assert served - written == set(), "the reference leaves out what is served"


async def test_description_has_every_parameter_once(client: httpx.AsyncClient) -> None:
    """ENG-134, API-200: generators of clients refuse a description that has one twice, or leaves one of a path out."""
    document = (await client.get("/openapi.json")).json()
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = [(one["in"], one["name"]) for one in operation.get("parameters", ())]
            assert len(named) == len(set(named)), operation["operationId"]
            assert {name for place, name in named if place == "path"} == set(re.findall(r"{(\w+)}", path))
