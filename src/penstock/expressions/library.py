"""All filters, functions and tests of the template language, in one place."""

from __future__ import annotations

from penstock.expressions.expression_compiler import Library
from penstock.expressions.filters import FILTERS
from penstock.expressions.functions import FUNCTIONS
from penstock.expressions.predicates import TESTS

LIBRARY = Library(FILTERS, FUNCTIONS, TESTS)
