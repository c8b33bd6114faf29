"""One task replaced in a source."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.model.yaml import read_yaml
from penstock.services.flows import with_task

SOURCE = """\
# above é
id: f
tasks:
  - id: outer
    type: Sequential
    tasks:
      - id: one  # the first
        type: Log
        message: |
          two
          lines

      # about the second
      - {id: two, type: Log, message: "x"}
  - id: last
    type: Log
    message: é
# below
"""


@pytest.mark.parametrize("task_id", ["one", "two", "last"])
@pytest.mark.parametrize("message", ["short", "two\nlines: {{ x }}", "1e3", "# é", ["a", {"b": None}]])
def test_replaced_task_leaves_what_is_around_it_as_written(task_id: str, message: Any) -> None:
    """API-100."""
    task = {"id": task_id, "type": "Return", "format": message}
    changed = with_task(SOURCE, task_id, task)
    tasks = read_yaml(changed).data["tasks"]
    found = {one["id"]: one for one in (*tasks, *tasks[0]["tasks"])}
    assert found[task_id] == task
    assert {"one", "two", "last", "outer"} == set(found)
    assert all(f"{comment}\n" in changed for comment in ("# above é", "# about the second", "# below"))


def test_task_with_an_alias_at_its_end_is_refused() -> None:
    source = "id: f\nvariables:\n  a: &a {x: 1}\ntasks:\n  - id: one\n    type: Log\n    message: *a\n"
    with pytest.raises(ConflictError):
        with_task(source, "one", {"id": "one", "type": "Log"})


def test_task_of_another_id_or_of_none_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        with_task(SOURCE, "one", {"id": "two", "type": "Log"})
    with pytest.raises(NotFoundError):
        with_task(SOURCE, "gone", {"id": "gone", "type": "Log"})
