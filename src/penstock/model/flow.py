"""The public face of reading flows."""

from penstock.model.document import FlowDocument
from penstock.model.parsing import ParsedFlow, parse_flow, read_flow

__all__ = ["FlowDocument", "ParsedFlow", "parse_flow", "read_flow"]
