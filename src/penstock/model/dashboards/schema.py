"""The JSON Schema of dashboards and charts, for editors (UI-034)."""

from __future__ import annotations

from typing import Any

from penstock.model.dashboards.documents import CHARTS, DashboardDocument

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
    kinds = [{"$ref": _PLACE.format(model=model.__name__)} for model in CHARTS.values()]
    return {"$schema": _DIALECT, "oneOf": kinds, "definitions": definitions}


def dashboard_schema() -> dict[str, Any]:
    """Return the schema of dashboards."""
    chart = chart_schema()
    schema = DashboardDocument.model_json_schema(by_alias=True, ref_template=_PLACE)
    definitions = {**schema.pop("$defs", {}), **chart["definitions"]}
    schema["properties"]["charts"] = {"type": "array", "items": {"oneOf": chart["oneOf"]}}
    return {"$schema": _DIALECT, **schema, "definitions": definitions}
