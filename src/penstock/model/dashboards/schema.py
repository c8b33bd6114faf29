"""The JSON Schema of dashboards and charts, for editors (UI-034)."""

from __future__ import annotations

from typing import Any

from penstock.model.dashboards.documents import CHARTS, DashboardDocument
from penstock.model.dashboards.sources import KPI_TYPES, PLAIN_TYPES, SOURCES

_DIALECT = "http://json-schema.org/draft-07/schema#"
_PLACE = "#/definitions/{model}"


def chart_schema() -> dict[str, Any]:
    """Return the schema of one chart, of whichever type."""
    definitions: dict[str, Any] = {}
    for name, model in CHARTS.items():
        schema = model.model_json_schema(by_alias=True, ref_template=_PLACE)
        definitions.update(schema.pop("$defs", {}))
        schema["properties"]["type"] = {"const": name}
        definitions[model.__name__] = schema
    _name_sources(definitions)
    return {"$schema": _DIALECT, **_one_of_the_charts(), "definitions": definitions}


def dashboard_schema() -> dict[str, Any]:
    """Return the schema of dashboards."""
    chart = chart_schema()
    schema = DashboardDocument.model_json_schema(by_alias=True, ref_template=_PLACE)
    definitions = {**schema.pop("$defs", {}), **chart["definitions"]}
    told = "What is shown, each chart on as many of the twelve columns as its width says."
    schema["properties"]["charts"] = {"type": "array", "description": told, "items": _one_of_the_charts()}
    return {"$schema": _DIALECT, **schema, "definitions": definitions}


def _one_of_the_charts() -> dict[str, Any]:
    """Return the choice between the kinds of charts; the mapping tells forms which kind a type is."""
    places = {name: _PLACE.format(model=model.__name__) for name, model in CHARTS.items()}
    return {
        "oneOf": [{"$ref": place} for place in places.values()],
        "discriminator": {"propertyName": "type", "mapping": places},
    }


def _name_sources(definitions: dict[str, Any]) -> None:
    """Say which types of data there are, and which fields."""
    for model, types in (("Data", PLAIN_TYPES), ("KpiData", KPI_TYPES)):
        own = definitions[model]["properties"]["type"]
        definitions[model]["properties"]["type"] = own | {"enum": list(types), "description": _fields_told()}
    fields = sorted({name for source in SOURCES.values() for name in source.fields})
    for model in ("Column", "DataFilter"):
        own = definitions[model]["properties"]["field"]
        definitions[model]["properties"]["field"] = own | {"anyOf": [{"enum": fields}, {"type": "null"}]}


def _fields_told() -> str:
    lines = [f"- {name}: {', '.join(f'`{one}`' for one in source.fields)}" for name, source in SOURCES.items()]
    return "\n".join(["What the chart counts. The fields of each:", "", *lines])
