"""Key-value pairs of namespaces: their types, the use cases of people and the functions of tasks."""

from penstock.services.keyvalues.functions import KeyValueFunctions
from penstock.services.keyvalues.service import KeyValueService
from penstock.services.keyvalues.values import TypedValue, convert, read_body, typed

__all__ = ["KeyValueFunctions", "KeyValueService", "TypedValue", "convert", "read_body", "typed"]
