from collections.abc import Iterator

import pytest

from penstock.testing.run_context import RunContextFactory


@pytest.fixture
def contexts() -> Iterator[RunContextFactory]:
    with RunContextFactory({"secret": lambda key, **_: f"value of {key}"}) as factory:
        yield factory
