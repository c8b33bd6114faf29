"""Plugin defaults: which apply, and which of them wins."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.model.defaults import DefaultsStack, PluginDefaults, merge
from penstock.model.definitions import Completer
from penstock.model.registry import TypeRegistry


def applied(
    registry: TypeRegistry, definition: dict[str, Any], *levels: list[PluginDefaults], name: str = "test.Script"
) -> dict[str, Any]:
    """Return a definition completed by these levels, without its type."""
    found = registry.find(name)
    assert found is not None
    result = Completer(registry, DefaultsStack(levels)).complete({"type": name, **definition}, found.entry)
    assert result.pop("type") == found.entry.name
    return result


def test_default_fills_what_the_definition_does_not_say(registry: TypeRegistry) -> None:
    """Implements ENG-314."""
    flow = [PluginDefaults("test.Script", {"image": "default", "script": "default"})]
    assert applied(registry, {"script": "own"}, flow) == {"script": "own", "image": "default"}


def test_forced_default_wins_over_the_definition(registry: TypeRegistry) -> None:
    """Implements ENG-315."""
    flow = [PluginDefaults("test.Script", {"script": "forced"}, forced=True)]
    assert applied(registry, {"script": "own"}, flow) == {"script": "forced"}


def test_default_for_a_prefix_gives_only_what_the_type_knows(registry: TypeRegistry) -> None:
    """Implements ENG-316."""
    flow = [PluginDefaults("test", {"level": "DEBUG", "logLevel": "INFO"})]
    assert applied(registry, {"script": "own"}, flow) == {"script": "own", "logLevel": "INFO"}
    assert applied(registry, {"message": "m"}, flow, name="test.log.Log") == {
        "message": "m",
        "level": "DEBUG",
        "logLevel": "INFO",
    }


def test_prefix_that_ends_within_a_word_does_not_match(registry: TypeRegistry) -> None:
    assert applied(registry, {}, [PluginDefaults("test.Scr", {"image": "x"})]) == {}


def test_longest_type_wins_at_one_level(registry: TypeRegistry) -> None:
    """Implements ENG-421."""
    values = [("test.log.Log", "exact"), ("test", "short"), ("test.log", "long")]
    flow = [PluginDefaults(name, {"level": value, value: 1}) for name, value in values[1:]]
    assert applied(registry, {}, flow, name="test.log.Log")["level"] == "long"
    flow.append(PluginDefaults(*("test.log.Log", {"level": "exact"})))
    assert applied(registry, {}, flow, name="test.log.Log")["level"] == "exact"


@pytest.mark.parametrize(("forced", "winner"), [(False, "flow"), (True, "instance")])
def test_nearest_level_wins_unless_forced(registry: TypeRegistry, forced: bool, winner: str) -> None:
    """Implements ENG-318, ENG-320, ENG-421."""
    levels = [[PluginDefaults("test.Script", {"image": name}, forced)] for name in ("flow", "namespace", "instance")]
    assert applied(registry, {}, *levels) == {"image": winner}


def test_maps_merge_key_by_key(registry: TypeRegistry) -> None:
    """Implements ENG-319."""
    flow = [PluginDefaults("test.Script", {"options": {"a": {"x": 1, "y": 1}, "b": 1}})]
    assert applied(registry, {"options": {"a": {"y": 2}}}, flow) == {"options": {"a": {"x": 1, "y": 2}, "b": 1}}


def test_definitions_of_different_types_do_not_mix() -> None:
    under = {"taskRunner": {"type": "test.runner.Docker", "image": "x"}}
    assert merge(under, {"taskRunner": {"type": "test.runner.Process"}}) == {
        "taskRunner": {"type": "test.runner.Process"}
    }
    assert merge(under, {"taskRunner": {"type": "test.runner.Docker", "cpus": 2}}) == {
        "taskRunner": {"type": "test.runner.Docker", "image": "x", "cpus": 2}
    }


def test_own_retry_replaces_a_default_one(registry: TypeRegistry) -> None:
    """Implements ENG-241."""
    flow = [PluginDefaults("test", {"retry": {"type": "constant", "interval": "PT1S", "maxAttempts": 3}})]
    own = {"type": "constant", "interval": "PT2S"}
    assert applied(registry, {"retry": own}, flow) == {"retry": own}


def test_default_under_an_older_type_name_applies_to_the_type(registry: TypeRegistry) -> None:
    """Implements MIG-010, MIG-011."""
    flow = [PluginDefaults("test.old.Return", {"format": "x"}), PluginDefaults("test.old", {"logLevel": "INFO"})]
    assert applied(registry, {}, flow, name="test.Return") == {"format": "x", "logLevel": "INFO"}


def test_older_property_names_of_definition_and_default_mean_the_same(registry: TypeRegistry) -> None:
    flow = [PluginDefaults("test.Script", {"image": "default"})]
    assert applied(registry, {"containerImage": "own"}, flow) == {"image": "own"}
    flow = [PluginDefaults("test.Script", {"containerImage": "default"})]
    assert applied(registry, {}, flow) == {"image": "default"}


def test_definitions_inside_a_definition_get_the_defaults_of_their_own_types(registry: TypeRegistry) -> None:
    """Implements ENG-314, MIG-011."""
    stack = DefaultsStack([[PluginDefaults("test.runner.Docker", {"image": "python"})]])
    definition = {"id": "a", "type": "test.Script", "script": "x", "taskRunner": {"type": "test.runner.Docker"}}
    assert Completer(registry, stack).complete_all(definition)["taskRunner"] == {
        "type": "test.runner.Docker",
        "image": "python",
    }
    assert definition["taskRunner"] == {"type": "test.runner.Docker"}
