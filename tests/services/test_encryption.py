from __future__ import annotations

import base64

import pytest

from penstock.expressions.encrypted import is_sealed
from penstock.services.encryption import Encryption, EncryptionError

_PLACE = ("main", "company.team", "flow", "token")


def test_value_sealed_is_opened_again_for_the_same_input() -> None:
    """OPS-076."""
    encryption = Encryption.passing()
    kept = encryption.seal(*_PLACE, "hunter2-ü")
    assert is_sealed(kept)
    assert "hunter2" not in base64.b64decode(kept["value"]).decode("latin-1")
    assert encryption.open(*_PLACE, kept["value"]) == "hunter2-ü"


def test_value_sealed_twice_looks_different() -> None:
    encryption = Encryption.passing()
    assert encryption.seal(*_PLACE, "x") != encryption.seal(*_PLACE, "x")


@pytest.mark.parametrize("changed", range(4))
def test_value_sealed_for_one_input_is_not_opened_for_another(changed: int) -> None:
    encryption = Encryption.passing()
    value = encryption.seal(*_PLACE, "hunter2")["value"]
    other = [*_PLACE]
    other[changed] = "other"
    with pytest.raises(EncryptionError, match="cannot be decrypted"):
        encryption.open(other[0], other[1], other[2], other[3], value)


@pytest.mark.parametrize("value", ["", "%", "aGk=", "ü"])
def test_value_that_is_no_sealed_one_is_an_error(value: str) -> None:
    with pytest.raises(EncryptionError, match="cannot be decrypted"):
        Encryption.passing().open(*_PLACE, value)


def test_value_sealed_with_another_key_is_an_error() -> None:
    value = Encryption.passing().seal(*_PLACE, "hunter2")["value"]
    with pytest.raises(EncryptionError, match="secret-key"):
        Encryption.passing().open(*_PLACE, value)


@pytest.mark.parametrize("key", ["", "abc", "x" * 44, base64.b64encode(b"1" * 16).decode()])
def test_key_that_is_not_32_bytes_in_base64_is_refused(key: str) -> None:
    with pytest.raises(EncryptionError, match="openssl rand"):
        Encryption.of_text(key)
