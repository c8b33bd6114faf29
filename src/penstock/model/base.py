"""What all models of the flow language share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

ID_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_-]*$"
"""Ids of flows, tasks, outputs and triggers (USE-B042)."""
INPUT_ID_PATTERN = r"^[a-zA-Z0-9][.a-zA-Z0-9_-]*$"
"""Ids of inputs; dots make objects (ENG-168)."""
NAMESPACE_PATTERN = r"^[a-zA-Z0-9][a-zA-Z0-9_-]*(\.[a-zA-Z0-9_-]+)*$"
"""Names of namespaces (ENG-019)."""


class FlowModel(BaseModel):
    """Frozen; names are camelCase in YAML; unknown properties are errors (ENG-399); numbers may stand for text."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        coerce_numbers_to_str=True,
        protected_namespaces=(),
    )
