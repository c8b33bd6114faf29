"""Dynamic properties."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from penstock.sdk.property import Property
from penstock.sdk.task import PluginModel


class Part(PluginModel):
    name: str
    size: int = 1


class Sample(PluginModel):
    text: Property[str] | None = None
    number: Property[Annotated[int, Field(ge=1, le=30)]] | None = None
    texts: Property[list[str]] | None = None
    env: Property[dict[str, str]] | None = None
    either: Property[str | list[str]] | None = None
    length: Property[timedelta] | None = None
    part: Property[Part] | None = None
    anything: Property[Any] | None = None
    preset: Property[int] = Property.of(5)


def made(**values: Any) -> Sample:
    return Sample.model_validate(values)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("text", "a", "a"),
        ("text", 5, "5"),
        ("text", True, "true"),
        ("text", 1.5, "1.5"),
        ("number", 7, 7),
        ("number", "7", 7),
        ("texts", ["a", 1, False], ["a", "1", "false"]),
        ("env", {"A": 1, "B": "x", "C": True}, {"A": "1", "B": "x", "C": "true"}),
        ("either", "a", "a"),
        ("either", ["a", 1], ["a", "1"]),
        ("length", "PT5M", timedelta(minutes=5)),
        ("part", {"name": "x", "size": "3"}, Part(name="x", size=3)),
        ("anything", {"a": [1, None]}, {"a": [1, None]}),
    ],
)
def test_static_value_is_validated_when_read_and_converts_to_its_type(name: str, raw: Any, expected: Any) -> None:
    """Implements PLG-014."""
    prop = getattr(made(**{name: raw}), name)
    assert prop.static
    assert prop.raw == raw
    assert prop.convert(prop.raw) == expected


@pytest.mark.parametrize(
    ("name", "raw"),
    [("number", 31), ("number", "x"), ("texts", "a"), ("text", {"a": 1}), ("text", ["a"]), ("part", {"nam": "x"})],
)
def test_static_value_of_another_type_is_refused_when_read(name: str, raw: Any) -> None:
    """Implements PLG-016."""
    with pytest.raises(ValidationError) as raised:
        made(**{name: raw})
    assert raised.value.errors()[0]["loc"][0] == name


@pytest.mark.parametrize("raw", ["{{ x }}", "{% if x %}1{% endif %}", ["{{ x }}"], {"{{ x }}": 1}, {"a": ["{{ x }}"]}])
def test_value_with_an_expression_is_left_until_it_is_rendered(raw: Any) -> None:
    prop = made(number=raw).number
    assert prop is not None
    assert not prop.static
    assert prop.raw == raw


def test_rendered_value_outside_the_bounds_is_refused() -> None:
    """Implements PLG-016, EXP-007."""
    prop = made(number="{{ x }}").number
    assert prop is not None
    assert prop.convert("30") == 30
    with pytest.raises(ValidationError):
        prop.convert("31")


def test_rendered_value_where_text_is_wanted_becomes_its_text() -> None:
    """Implements EXP-006."""
    sample = made(text="{{ x }}", env="{{ x }}")
    assert sample.text is not None
    assert sample.env is not None
    assert sample.text.convert({"a": 1}) == '{"a":1}'
    assert sample.env.convert({"a": 1}) == {"a": "1"}


def test_default_given_by_of_converts_to_itself() -> None:
    assert made().preset.convert(5) == 5
    assert made(text=None).text is None


def test_property_is_written_as_it_was_read() -> None:
    assert made(number="{{ x }}", texts=["a"]).model_dump(exclude_defaults=True) == {
        "number": "{{ x }}",
        "texts": ["a"],
    }


def test_properties_of_the_same_raw_value_are_equal() -> None:
    assert made(text="a").text == Property.of("a")
    assert hash(made(text="a").text) == hash(Property.of("a"))
    assert made(text="a").text != Property.of("b")
    assert repr(Property.of("a")) == "Property('a')"


def test_schema_of_a_property_is_its_type_or_a_template() -> None:
    properties = TypeAdapter(Sample).json_schema()["properties"]
    assert properties["text"]["anyOf"][0] == {"type": "string", "$dynamic": True}
    assert properties["number"]["anyOf"][0] == {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 30}, {"type": "string"}],
        "$dynamic": True,
    }


@pytest.mark.parametrize("text", ["P1W", "P1M", "P1Y", "5"])
def test_length_the_language_does_not_know_is_refused_when_read_and_when_rendered(text: str) -> None:
    """ENG-240."""
    with pytest.raises(ValidationError, match=f"`{text}` is not a duration"):
        made(length=text)
    prop = made(length="{{ inputs.length }}").length
    assert prop is not None
    with pytest.raises(ValidationError, match=f"`{text}` is not a duration"):
        prop.convert(text)
    assert prop.convert("P1DT0.5S") == timedelta(days=1, milliseconds=500)
