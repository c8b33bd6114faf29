import base64
from pathlib import Path

import pytest

from penstock.secrets import ChainedSecrets, EnvironmentSecrets, FileSecrets, GivenSecrets
from penstock.secrets.environment import UndecodableSecret


def encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


async def test_environment_variable_with_prefix_is_decoded() -> None:
    """ENG-372."""
    secrets = EnvironmentSecrets({"SECRET_TOKEN": encoded("hunter2 ü\n"), "TOKEN": encoded("no secret")})
    assert await secrets.find("main", "company", "TOKEN") == "hunter2 ü\n"
    assert await secrets.find("main", "company", "token") == "hunter2 ü\n"
    assert await secrets.find("main", "company", "OTHER") is None
    assert await secrets.names("main", "company") == ["TOKEN"]


async def test_environment_base64_over_several_lines_is_decoded() -> None:
    secrets = EnvironmentSecrets({"SECRET_KEY": "\n".join(encoded("a long key")[i : i + 4] for i in (0, 4, 8, 12))})
    assert await secrets.find("main", "company", "KEY") == "a long key"


async def test_environment_value_that_is_not_base64_names_the_variable_and_not_the_value() -> None:
    """BEY-060."""
    secrets = EnvironmentSecrets({"SECRET_TOKEN": "plain!text"})
    with pytest.raises(UndecodableSecret, match="SECRET_TOKEN") as caught:
        await secrets.find("main", "company", "TOKEN")
    assert "plain!text" not in str(caught.value)


@pytest.mark.parametrize(("encoding", "value"), [("plain", encoded("x y")), ("auto", "x y"), ("auto", "not!base64")])
async def test_environment_other_encodings_are_read_as_set_up(encoding: str, value: str) -> None:
    """BEY-060."""
    held = encoded(value) if value == "x y" else value
    secrets = EnvironmentSecrets({"SECRET_TOKEN": held}, encoding)  # type: ignore[arg-type]
    assert await secrets.find("main", "company", "TOKEN") == (held if encoding == "plain" else value)


async def test_files_are_read_anew_each_time(tmp_path: Path) -> None:
    """BEY-060."""
    secrets = FileSecrets(tmp_path)
    assert await secrets.find("main", "company", "token") is None
    (tmp_path / "token").write_text("one\n")
    assert await secrets.find("main", "company", "token") == "one"
    (tmp_path / "token").write_text("two")
    assert await secrets.find("main", "company", "token") == "two"
    assert await secrets.names("main", "company") == ["token"]


@pytest.mark.parametrize("key", ["../outside", "/etc/hostname", "..", ".hidden", "a/b"])
async def test_files_outside_the_folder_are_no_secrets(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside").write_text("x")
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / ".hidden").write_text("x")
    assert await FileSecrets(folder).find("main", "company", key) is None


async def test_files_folder_missing_has_no_secrets(tmp_path: Path) -> None:
    assert await FileSecrets(tmp_path / "nowhere").names("main", "company") == []


async def test_chain_first_source_that_has_it_wins_and_all_places_are_named(tmp_path: Path) -> None:
    """BEY-060."""
    chain = ChainedSecrets(
        [GivenSecrets({"A": "given"}), EnvironmentSecrets({"SECRET_A": encoded("env"), "SECRET_B": encoded("env")})]
    )
    assert await chain.find("main", "company", "A") == "given"
    assert await chain.find("main", "company", "B") == "env"
    assert await chain.find("main", "company", "C") is None
    assert await chain.names("main", "company") == ["A", "B"]
    assert "--secret C" in chain.where("C")
    assert "SECRET_C" in chain.where("C")
    assert "none is set up" in ChainedSecrets([]).where("C")
