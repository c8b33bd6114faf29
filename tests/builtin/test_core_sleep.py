import threading
import time

import pytest
from pydantic import ValidationError

from penstock.builtin.sleep import Sleep
from penstock.testing.run_context import RunContextFactory
from tests.support.waiting import PATIENCE


def sleep(duration: str) -> Sleep:
    return Sleep.model_validate({"id": "t", "type": Sleep.type_name, "duration": duration})


def test_sleep_lasts_as_long_as_its_duration(contexts: RunContextFactory) -> None:
    """ENG-112."""
    start = time.monotonic()
    sleep("PT0.0{{ n }}S").run(contexts.of({"n": 5}))
    assert time.monotonic() - start >= 0.05


def test_sleep_killed_ends_at_once(contexts: RunContextFactory) -> None:
    """ENG-157."""
    context = contexts.of()
    thread = threading.Thread(target=sleep("PT10M").run, args=[context])
    thread.start()
    for action in context.interrupt():
        action()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_sleep_wrong_duration_is_refused_when_read() -> None:
    with pytest.raises(ValidationError):
        sleep("soon")
