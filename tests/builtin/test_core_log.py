import pytest
from pydantic import ValidationError

from penstock.builtin.debug import Echo, Return
from penstock.builtin.log import Log
from penstock.services.property_values import InvalidProperty
from penstock.testing.run_context import RunContextFactory, messages_of


def log(**properties: object) -> Log:
    return Log.model_validate({"id": "t", "type": Log.type_name, **properties})


def test_log_text_given_writes_one_line_at_info(contexts: RunContextFactory) -> None:
    """ENG-110."""
    context = contexts.of({"inputs": {"name": "Ada"}})
    assert log(message="Hello {{ inputs.name }}").run(context) is None
    assert messages_of(context) == [("INFO", "Hello Ada")]


def test_log_list_given_writes_a_line_each(contexts: RunContextFactory) -> None:
    """ENG-110, EXP-013."""
    context = contexts.of({"n": 2})
    log(message=["one", "{{ n }}", "three"], level="WARN").run(context)
    assert messages_of(context) == [("WARN", "one"), ("WARN", "2"), ("WARN", "three")]


def test_log_level_from_expression_is_rendered(contexts: RunContextFactory) -> None:
    context = contexts.of({"level": "ERROR"})
    log(message="x", level="{{ level }}").run(context)
    assert messages_of(context) == [("ERROR", "x")]


def test_log_level_renders_to_nonsense_fails_and_names_property_and_text(contexts: RunContextFactory) -> None:
    """EXP-007."""
    task = log(message="x", level="{{ level }}")
    with pytest.raises(InvalidProperty, match=r"`level`.*`LOUD` was given"):
        task.run(contexts.of({"level": "LOUD"}, task=task))


def test_log_level_wrong_without_expression_is_refused_when_read() -> None:
    with pytest.raises(ValidationError):
        log(message="x", level="LOUD")


def test_log_lines_below_the_task_s_level_are_dropped(contexts: RunContextFactory) -> None:
    """ENG-050."""
    context = contexts.of(log_level="WARN")
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR"):
        log(message=level, level=level).run(context)
    assert [message for _, message in messages_of(context)] == ["WARN", "ERROR"]


def test_log_is_found_by_its_documented_names() -> None:
    assert Log.type_name == "io.kestra.plugin.core.log.Log"
    assert Log.type_aliases == ("io.kestra.core.tasks.log.Log",)


def test_return_text_with_expression_gives_its_value_and_two_metrics(contexts: RunContextFactory) -> None:
    """ENG-111, ENG-063, PLG-053."""
    context = contexts.of({"variable": "John Doe"})
    task = Return(id="t", type=Return.type_name, format="Hello {{ variable }}")
    assert task.run(context).value == "Hello John Doe"
    length, duration = context.log.take_metrics()
    assert (length.type, length.name, length.value) == ("counter", "length", 14)
    assert (duration.type, duration.name) == ("timer", "duration")
    assert 0 <= duration.value < 60
    assert length.tags == duration.tags == {"format": "Hello {{ variable }}"}


def test_return_without_text_has_no_value(contexts: RunContextFactory) -> None:
    output = Return(id="t", type=Return.type_name).run(contexts.of())
    assert output.model_dump(by_alias=True, exclude_none=True) == {}


def test_echo_writes_its_text(contexts: RunContextFactory) -> None:
    context = contexts.of({"n": 1})
    Echo.model_validate({"id": "t", "type": Echo.type_name, "format": "n={{ n }}", "level": "DEBUG"}).run(context)
    assert messages_of(context) == [("DEBUG", "n=1")]
