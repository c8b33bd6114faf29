"""The run context: rendering, files, functions, kills."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from penstock.base.errors import InvalidRequestError, NotFoundError, UnauthorizedError
from penstock.sdk import PluginModel, Property, RunContext, Task
from penstock.services.property_values import InvalidProperty
from penstock.services.worker.context import WorkerRunContext
from penstock.services.worker.settings import WorkerSettings, task_environment
from penstock.testing.run_context import RunContextFactory, messages_of


class Inner(PluginModel):
    size: Property[int] | None = None


class Everything(Task):
    type_name = "test.Everything"

    text: Property[str] | None = None
    count: Property[int] = Property.of(7)
    limited: Property[Literal["A", "B"]] | None = None
    wait: Property[timedelta] | None = None
    flag: Property[bool] | None = None
    names: Property[list[str]] | None = None
    numbers: Property[dict[str, int]] | None = None
    inner: Inner | None = None
    plain: str = Field("x", description="Static.")

    def run(self, context: RunContext) -> None: ...


def task(**properties: Any) -> Everything:
    return Everything.model_validate({"id": "t", "type": Everything.type_name, **properties})


@pytest.fixture
def contexts(tmp_path: Path) -> Iterator[RunContextFactory]:
    functions = {"secret": lambda key, **_: f"secret {key}", "kv": lambda key, **_: {"n": 5}}
    (tmp_path / "host").mkdir()
    settings = WorkerSettings(
        threads=1, directory=tmp_path / "work", allowed_paths=(tmp_path / "host",), environment={"PATH": "/bin"}
    )
    with RunContextFactory(functions, settings) as factory:
        yield factory


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("text", "{{ n }}", "5"),
        ("text", "{{ list }}", '["a","b"]'),
        ("text", "static", "static"),
        ("count", "{{ n }}", 5),
        ("count", 3, 3),
        ("limited", "{{ 'B' }}", "B"),
        ("wait", "PT{{ n }}S", timedelta(seconds=5)),
        ("wait", "PT1M", timedelta(minutes=1)),
        ("flag", "{{ n > 3 }}", True),
        ("names", "{{ list }}", ["a", "b"]),
        ("names", ["{{ n }}", "x"], ["5", "x"]),
        ("names", [], []),
        ("numbers", {"{{ list | first }}": "{{ n }}"}, {"a": 5}),
        ("numbers", "{{ map }}", {"k": 1}),
    ],
)
def test_render_property_gives_its_type(contexts: RunContextFactory, name: str, written: Any, value: Any) -> None:
    """EXP-007, PLG-014, ENG-054."""
    context = contexts.of({"n": 5, "list": ["a", "b"], "map": {"k": 1}})
    assert context.render(getattr(task(**{name: written}), name)) == value


def test_render_absent_property_gives_none_or_the_default(contexts: RunContextFactory) -> None:
    """PLG-014."""
    context = contexts.of()
    assert context.render(task().text) is None
    assert context.render(task().text, "other") == "other"
    assert context.render(task().count) == 7


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"count": "{{ word }}"}, r"`count`: .*integer.*`many` was given"),
        ({"limited": "{{ word }}"}, r"`limited`: .*'A' or 'B'.*`many` was given"),
        ({"names": "{{ word }}"}, r"`names`: .*list.*`many` was given"),
        ({"numbers": {"a": "{{ word }}"}}, r"`numbers\.a`: .*integer.*`many` was given"),
        ({"names": "[not json"}, r"`names`"),
        ({"inner": {"size": "{{ word }}"}}, r"`inner\.size`: .*integer"),
    ],
)
def test_render_value_that_does_not_fit_names_property_and_text(
    contexts: RunContextFactory, properties: dict[str, Any], told: str
) -> None:
    """EXP-007."""
    if "{{" not in str(properties):
        properties = {name: value + "{{ '' }}" for name, value in properties.items()}
    made = task(**properties)
    context = contexts.of({"word": "many"}, task=made)
    (name,) = properties
    found = made.inner.size if made.inner else getattr(made, name)
    with pytest.raises(InvalidProperty, match=told):
        context.render(found)


def test_render_wrong_value_that_is_a_secret_is_masked_in_the_error(contexts: RunContextFactory) -> None:
    """BEY-061."""
    made = task(count="{{ secret('K') }}")
    with pytest.raises(InvalidProperty) as caught:
        contexts.of(task=made).render(made.count)
    assert "secret K" not in str(caught.value)
    assert "******" in str(caught.value)


def test_render_text_with_extra_variables_sees_both(contexts: RunContextFactory) -> None:
    context = contexts.of({"n": 5})
    assert context.render_text("{{ n }} {{ workingDir }}", {"workingDir": "/w"}) == "5 /w"
    assert context.render_nested({"a": ["{{ workingDir }}", 1, None]}, {"workingDir": "/w"}) == {"a": ["/w", 1, None]}


def test_call_function_of_the_server_gives_its_answer(contexts: RunContextFactory) -> None:
    context = contexts.of()
    assert context.call("kv", key="k") == {"n": 5}
    assert context.render_text("{{ kv('k').n }}") == "5"


def test_secret_is_masked_in_names_and_tags_of_metrics(contexts: RunContextFactory) -> None:
    """BEY-061."""
    context = contexts.of()
    context.render_text("{{ secret('K') }}")
    context.counter("count.secret K", 1, {"key": "secret K"})
    (metric,) = context.log.take_metrics()
    assert (metric.name, metric.tags) == ("count.******", {"key": "******"})


def test_secret_and_what_filters_make_of_it_are_masked_in_logs(contexts: RunContextFactory) -> None:
    """BEY-061."""
    context = contexts.of()
    derived = context.render_text("Bearer {{ secret('K') | sha512 }}!").removeprefix("Bearer ").removesuffix("!")
    nested = context.render_nested({"headers": [{"key": "{{ secret('K') | md5 }}"}]})["headers"][0]["key"]
    context.logger.info(f"{derived} {nested} secret K")
    context.mask("given by hand")
    context.logger.info("given by hand")
    assert messages_of(context) == [("INFO", "****** ****** ******"), ("INFO", "******")]


def test_resolve_path_out_of_the_working_directory_is_refused(contexts: RunContextFactory) -> None:
    """PLG-021."""
    context = contexts.of()
    assert context.resolve("a/b.txt") == context.working_directory / "a/b.txt"
    (context.working_directory / "link").symlink_to("/etc")
    for name in ("../x", "/etc/passwd", "a/../../x", "link/passwd"):
        with pytest.raises(InvalidRequestError, match="outside the task's working directory"):
            context.resolve(name)


def test_working_directory_is_made_only_when_asked_for(contexts: RunContextFactory, tmp_path: Path) -> None:
    """SCR-018."""
    context = contexts.of()
    assert not (tmp_path / "work").exists()
    folder = context.working_directory
    assert folder == context.working_directory
    (folder / "f").write_text("x")
    context.close()
    assert list((tmp_path / "work").iterdir()) == []


def test_put_file_stores_it_and_removes_the_local_one_unless_kept(contexts: RunContextFactory) -> None:
    """PLG-020."""
    context = contexts.of()
    for name in ("a.txt", "b.txt"):
        (context.working_directory / name).write_text(name)
    kept = context.put_file(context.working_directory / "a.txt", keep=True)
    gone = context.put_file(context.working_directory / "b.txt", "other.txt")
    assert (context.working_directory / "a.txt").exists()
    assert not (context.working_directory / "b.txt").exists()
    assert kept.endswith("/a.txt")
    assert gone.endswith("/other.txt")
    assert b"".join(context.stream_file(gone)) == b"b.txt"


def test_put_file_outside_the_working_directory_or_missing_is_refused(
    contexts: RunContextFactory, tmp_path: Path
) -> None:
    """PLG-020."""
    context = contexts.of()
    (tmp_path / "outside.txt").write_text("x")
    for path in (tmp_path / "outside.txt", context.working_directory / "missing", context.working_directory):
        with pytest.raises(InvalidRequestError):
            context.put_file(path)


def test_put_bytes_can_be_read_back(contexts: RunContextFactory) -> None:
    context = contexts.of()
    uri = context.put_bytes(b"x" * 200_000, "folder/data.bin")
    assert b"".join(context.stream_file(uri)) == b"x" * 200_000
    context.get_file(uri, context.resolve("copies/data.bin"))
    assert (context.working_directory / "copies/data.bin").read_bytes() == b"x" * 200_000


def test_get_file_by_every_scheme(contexts: RunContextFactory, tmp_path: Path) -> None:
    """ENG-343, ENG-344, ENG-346."""
    (tmp_path / "host/h.txt").write_text("from the host")
    context = contexts.of(files={"nsfile:///n.txt": b"of the namespace"})
    for number, (uri, content) in enumerate(
        [("nsfile:///n.txt", "of the namespace"), (f"file://{tmp_path}/host/h.txt", "from the host")]
    ):
        target = context.resolve(f"copy{number}")
        context.get_file(uri, target)
        assert target.read_text() == content
        assert b"".join(context.stream_file(uri)) == content.encode()


def test_get_file_that_may_not_be_read_is_refused(contexts: RunContextFactory, tmp_path: Path) -> None:
    """ENG-333, ENG-346."""
    (tmp_path / "private").write_text("x")
    context = contexts.of()
    for uri in (f"file://{tmp_path}/private", "kestra:///another/execution/f"):
        with pytest.raises(UnauthorizedError):
            context.get_file(uri, context.resolve("copy"))
        with pytest.raises(UnauthorizedError):
            b"".join(context.stream_file(uri))
    with pytest.raises(NotFoundError):
        context.get_file("nsfile:///missing", context.resolve("copy"))
    with pytest.raises(InvalidRequestError):
        context.get_file("nsfile:///missing", tmp_path / "elsewhere")


def test_on_kill_actions_run_last_first_and_late_ones_at_once(contexts: RunContextFactory) -> None:
    """BEY-004."""
    context = contexts.of()
    called: list[str] = []
    context.on_kill(lambda: called.append("first"))
    context.on_kill(lambda: called.append("second"))
    assert not context.is_killed
    for action in context.interrupt():
        action()
    assert context.is_killed
    context.on_kill(lambda: called.append("late"))
    assert called == ["second", "first", "late"]
    assert context.interrupt() == []


def test_environment_of_processes_holds_no_secrets_and_no_configuration(contexts: RunContextFactory) -> None:
    """ENG-373."""
    assert contexts.of().environment == {"PATH": "/bin"}
    environment = {"PATH": "/bin", "SECRET_X": "1", "KESTRA_CONFIGURATION": "2", "PENSTOCK_TOKEN": "3", "secret_y": "4"}
    assert task_environment(environment) == {"PATH": "/bin"}


def test_log_level_names_are_understood_in_any_case(contexts: RunContextFactory) -> None:
    context = contexts.of()
    for level in ("warning", "Error", "FATAL", "whatever", "debug"):
        context.logger.log(level, level)
    assert [level for level, _ in messages_of(context)] == ["WARN", "ERROR", "ERROR", "INFO", "DEBUG"]


def test_context_of_two_attempts_share_nothing(contexts: RunContextFactory) -> None:
    one, two = contexts.of({"n": 1}), contexts.of({"n": 2})
    one.set_labels({"a": "b"})
    one.set_variables({"x": 1})
    one.counter("n", 1)
    assert isinstance(two, WorkerRunContext)
    assert (two.labels, two.new_variables, two.log.take_metrics()) == ({}, None, [])
    assert one.working_directory != two.working_directory
