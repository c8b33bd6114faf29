from __future__ import annotations

import base64
import os

import pytest

from penstock.expressions.encrypted import is_sealed
from penstock.secrets.given import GivenSecrets
from penstock.services.encryption import Encryption, EncryptionError, TextEncryption
from penstock.services.file_access import Caller

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


async def test_text_encrypted_with_a_key_is_decrypted_with_it_and_with_no_other() -> None:
    """EXP-149."""
    key, other = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    functions = TextEncryption(GivenSecrets({"PRIVATE": key, "PHRASE": "open sesame"})).functions()
    caller = Caller("main", "company.team", "flow", "execution")
    sealed_text = await functions["encrypt"].answer(caller, {"key": "PRIVATE", "value": "hunter2-ü"})
    assert sealed_text != await functions["encrypt"].answer(caller, {"key": "PRIVATE", "value": "hunter2-ü"})
    for given in ("PRIVATE", key):
        assert await functions["decrypt"].answer(caller, {"key": given, "value": sealed_text}) == "hunter2-ü"
    with pytest.raises(EncryptionError, match="cannot be decrypted"):
        await functions["decrypt"].answer(caller, {"key": other, "value": sealed_text})
    for wrong, word in (("PHRASE", "secret `PHRASE` is not"), ("NOBODY", "nor the name of a secret")):
        with pytest.raises(EncryptionError, match=word):
            await functions["encrypt"].answer(caller, {"key": wrong, "value": "x"})
