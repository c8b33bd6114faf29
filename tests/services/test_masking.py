import base64
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.services.masking import MASK, Masker, Maskers

SECRET = "p@ss wörd/\"quoted\"+'single'\\back"


def masker(*values: str) -> Masker:
    made = Masker()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        SECRET.upper(),
        SECRET.lower(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        shlex.quote(SECRET).strip("'"),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_masker_usual_encodings_of_a_value_are_hidden(shown: str) -> None:
    """BEY-061."""
    assert masker(SECRET).hide(f"before {shown} after") == f"before {MASK} after"


@pytest.mark.parametrize("width", [76, 64])
@pytest.mark.parametrize("end", ["", "\n"])
def test_masker_base64_text_wrapped_into_lines_is_hidden_line_by_line(width: int, end: str) -> None:
    """BEY-061: each line is handed to the logs by itself."""
    value = "".join(f"part {number} of a long key; " for number in range(12))
    text = base64.b64encode((value + end).encode()).decode()
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    assert len(lines) > 3
    assert {masker(value).hide(line) for line in lines[:-1]} == {MASK}
    assert masker(value).hide(lines[-1]) == MASK or len(lines[-1].rstrip("=")) < 6


@given(before=st.binary(max_size=20), after=st.binary(max_size=20))
def test_masker_value_within_a_longer_base64_text_is_hidden(before: bytes, after: bytes) -> None:
    """BEY-061: as in the header of a basic authentication."""
    shown = base64.b64encode(before + b"correct horse battery" + after).decode()
    hidden = masker("correct horse battery").hide(shown)
    assert MASK in hidden
    assert len(hidden) - len(MASK) <= len(shown) - 24


@given(value=st.text(min_size=3, max_size=40).filter(lambda text: len(text.strip()) >= 3 and "*" not in text))
def test_masker_no_value_is_ever_shown(value: str) -> None:
    text = masker(value).hide(f"{value} and {value}{value}")
    assert value not in text.replace(MASK, "") or value.strip() in " and "


def test_masker_mask_has_the_same_length_for_every_value() -> None:
    """BEY-061."""
    assert masker("abc").hide("abc") == masker("a much longer value").hide("a much longer value") == MASK


def test_masker_value_that_contains_another_leaves_no_rest() -> None:
    assert masker("token", "token-suffix").hide("token-suffix token") == f"{MASK} {MASK}"


def test_masker_each_line_of_a_value_is_hidden() -> None:
    key = "-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\nwvHcFzDq8n\n-----END KEY-----"
    assert masker(key).hide("line: MIIEowIBAAKCAQEA") == f"line: {MASK}"


def test_masker_texts_within_json_are_hidden() -> None:
    """EXP-144."""
    assert masker('{"user": "ada", "token": "s3cr3t!", "n": [{"deep": "inner1"}]}').hide("s3cr3t! inner1") == (
        f"{MASK} {MASK}"
    )


@pytest.mark.parametrize("value", ["", "a", "ab", "  a  "])
def test_masker_value_too_short_to_tell_is_left(value: str) -> None:
    assert masker(value).hide("a text about ab") == "a text about ab"


def test_masker_derived_value_is_hidden_unless_it_is_an_ordinary_number_or_word() -> None:
    """BEY-061."""
    made = Masker()
    for value in ("5f4dcc3b5aa765d6", "true", "123456", "1.50000"):
        made.add_derived(value)
    assert made.hide("5f4dcc3b5aa765d6 true 123456 1.50000") == f"{MASK} true 123456 1.50000"


def test_maskers_are_kept_per_execution_and_the_oldest_forgotten() -> None:
    maskers = Maskers(bound=2)
    assert maskers.find("e1") is None
    first = maskers.of("e1")
    assert maskers.of("e1") is first
    maskers.of("e2")
    maskers.of("e3")
    assert maskers.find("e1") is None
    assert maskers.find("e3") is not None
