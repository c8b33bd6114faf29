"""`@task`: a plain function becomes a task type; its parameters are the properties, its docstring the documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Annotated, Any, ClassVar, Generic, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from penstock.sdk.context import RunContext
from penstock.sdk.errors import PluginError
from penstock.sdk.property import Property
from penstock.sdk.task import MetricNote, Output, Task

P = ParamSpec("P")
R = TypeVar("R")


class UnfitFunction(PluginError):
    """A function that cannot be a task."""

    code = "UNFIT_FUNCTION"


class FunctionTask(Task):
    """A task that calls a function with its rendered properties."""

    called: ClassVar[Callable[..., Any]]
    wants_context: ClassVar[str | None] = None
    """The parameter that takes the run context."""

    def run(self, context: RunContext) -> Output | Mapping[str, Any] | None:
        """Call the function; what is neither a map nor a model is the output `value`."""
        cls = type(self)
        given: dict[str, Any] = {} if cls.wants_context is None else {cls.wants_context: context}
        for name in cls.model_fields.keys() - Task.model_fields.keys():
            given[name] = context.render(getattr(self, name))
        result = cls.called(**given)
        if result is None or isinstance(result, Mapping | Output):
            return result
        return result.model_dump() if isinstance(result, BaseModel) else {"value": result}


class TaskFunction(Generic[P, R]):
    """A function that is a task type too: call it, or list it in a plugin's `TYPES`."""

    def __init__(self, function: Callable[P, R], task_type: type[FunctionTask]) -> None:
        self._function = function
        self.task_type = task_type
        """The class behind the type, as tests and the registry take it."""
        update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self._function(*args, **kwargs)


def task(
    type_name: str, *, aliases: tuple[str, ...] = (), quick: bool = False, metrics: tuple[MetricNote, ...] = ()
) -> Callable[[Callable[P, R]], TaskFunction[P, R]]:
    """Make a task type of a function.

        @task("org.example.Reverse")
        def reverse(text: Annotated[str, Field(description="The text.")]) -> str:
            '''Turn a text around.'''
            return text[::-1]

    Each parameter is a property that may be an expression, required where it has no default; one of type `RunContext`
    is given the run context. A map or an `Output` that is returned holds the outputs, anything else is the output
    `value`. Any exception fails the attempt.

    Args:
        type_name: The `type` flows name.
        aliases: Older names that still work.
        quick: Whether it never waits for anything and needs next to no time.
        metrics: The metrics it records.

    Raises:
        UnfitFunction: A parameter cannot be a property.
    """

    def decorate(function: Callable[P, R]) -> TaskFunction[P, R]:
        made = _task_type(function, type_name)
        made.type_aliases, made.quick, made.type_metrics = aliases, quick, metrics
        return TaskFunction(function, made)

    return decorate


def _task_type(function: Callable[..., Any], type_name: str) -> type[FunctionTask]:
    if inspect.iscoroutinefunction(function):
        raise UnfitFunction(f"{function.__qualname__} is asynchronous", hint="tasks run in threads: write `def`")
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    wants_context = None
    for parameter in inspect.signature(function).parameters.values():
        annotation = hints.get(parameter.name, Any)
        if annotation is RunContext:
            wants_context = parameter.name
        else:
            fields[parameter.name] = _field(function, parameter, annotation)
    made = create_model(
        type_name.rpartition(".")[2],
        __base__=FunctionTask,
        __module__=function.__module__,
        __doc__=inspect.getdoc(function),
        **fields,
    )
    made.type_name = type_name
    made.called, made.wants_context = staticmethod(function), wants_context
    returned = hints.get("return")
    if isinstance(returned, type) and issubclass(returned, BaseModel):
        made.output_type = returned
    return made


def _field(function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> tuple[Any, Any]:
    name = parameter.name
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise UnfitFunction(f"{function.__qualname__}: `{name}` has no fixed name", hint="name every parameter")
    if name in Task.model_fields or hasattr(FunctionTask, name):
        raise UnfitFunction(
            f"{function.__qualname__}: every task has a property `{name}` already", hint="rename the parameter"
        )
    described = next((one for one in _extras(annotation) if isinstance(one, FieldInfo)), None)
    told: dict[str, Any] = {}
    if described is not None:
        told = {"description": described.description, "json_schema_extra": described.json_schema_extra}
    if parameter.default is parameter.empty:
        return Property[annotation], Field(**told)
    if parameter.default is None:
        return Property[annotation] | None, Field(None, **told)
    return Property[annotation], Field(Property.of(parameter.default), **told)


def _extras(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
