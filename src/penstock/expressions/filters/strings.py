"""Filters for text. Implements EXP-108 to EXP-119."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from penstock.expressions import regexes
from penstock.expressions.errors import ExpressionError, ExpressionTypeError, LimitExceededError, kind_of
from penstock.expressions.frame import Frame
from penstock.expressions.predicates import is_empty
from penstock.expressions.registry import Entry, Parameter
from penstock.expressions.values import UNDEFINED, is_list, text_of


def _text(value: Any, name: str) -> str:
    """Return a scalar as text; a list or map is a mistake here."""
    if isinstance(value, Mapping) or is_list(value):
        raise ExpressionTypeError(f"`{name}` needs a string, {kind_of(value)} is given", hint="use `toJson` first")
    return text_of(value)


def _on_text(name: str, change: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: change(_text(value, name))


def _with_text(name: str, change: Callable[[str, str], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, argument: change(_text(value, name), _text(argument, name))


def _title(text: str) -> str:
    return re.sub(r"(?<!\S)\S", lambda match: match.group().upper(), text)


def abbreviate(value: Any, length: Any) -> str:
    """Return the text cut to a length, the ellipsis counted in (EXP-109)."""
    if not isinstance(length, int) or isinstance(length, bool) or length < 4:
        raise ExpressionTypeError("argument `length` of `abbreviate` must be an integer of at least 4")
    text = _text(value, "abbreviate")
    return text if len(text) <= length else text[: length - 3] + "..."


def replace(frame: Frame, value: Any, pairs: Any, regexp: Any = False) -> str:
    """Return the text with each key of a map replaced by its value (EXP-110)."""
    if not isinstance(pairs, Mapping):
        raise ExpressionTypeError(f"`replace` needs a map such as {{'old': 'new'}}, {kind_of(pairs)} is given")
    text, limit = _text(value, "replace"), frame.limits.output
    for old, new in pairs.items():
        search, replacement = text_of(old), frame.text(new)
        if regexp is True:
            text = regexes.replace(search, text, replacement, frame.settings.regex_timeout, limit)
            continue
        growth = text.count(search) * (len(replacement) - len(search)) if search else 0
        if len(text) + growth > limit:
            raise LimitExceededError(f"the replaced text is longer than {limit} characters")
        text = text.replace(search, replacement) if search else text
        frame.budget.spend(len(text))
    return text


def _after(text: str, separator: str) -> str:
    return text.partition(separator)[2] if separator else ""


def _before(text: str, separator: str) -> str:
    return text.partition(separator)[0] if separator else text


def _after_last(text: str, separator: str) -> str:
    return text.rpartition(separator)[2] if separator and separator in text else ""


def _before_last(text: str, separator: str) -> str:
    return text.rpartition(separator)[0] if separator and separator in text else text


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-")


def default(value: Any, fallback: Any) -> Any:
    """Return the fallback for an undefined, null or empty value (EXP-113)."""
    return fallback if value is UNDEFINED or is_empty(value) else value


def _decode_base64(text: str) -> str:
    try:
        return base64.b64decode(text.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise ExpressionError("the text is no Base64 of UTF-8 text") from None


def _digest(algorithm: str) -> Callable[[str], str]:
    return lambda text: hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


def _form_encoded(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")


_ESCAPES = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}


def escape_char(value: Any, kind: Any) -> Any:
    """Return the text with quotes escaped; of lists and maps, every element (EXP-119)."""
    escape = _ESCAPES.get(str(kind).lower())
    if escape is None:
        raise ExpressionError("the type of `escapeChar` is not known", hint="use single, double or shell")
    if isinstance(value, Mapping):
        return {key: escape_char(item, kind) for key, item in value.items()}
    if is_list(value):
        return [escape_char(item, kind) for item in value]
    return value.replace(*escape) if isinstance(value, str) else value


def _simple(name: str, change: Callable[[str], Any], summary: str, example: tuple[str, str]) -> Entry:
    return Entry(name, _on_text(name, change), summary, examples=(example,))


def _listed(value: Any) -> str:
    """Return a value as text; lists and maps without quotes, as `[A, B]` and `{k=v}`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={_listed(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_listed, value)) + "]" if is_list(value) else text_of(value)


def _cased(name: str, change: Callable[[str], str], summary: str, example: tuple[str, str]) -> Entry:
    """Return a filter that takes lists and maps too (GOV-329)."""
    return Entry(name, lambda value: change(_listed(value)), summary, examples=(example,))


def _separated(name: str, change: Callable[[str, str], Any], summary: str, result: str) -> Entry:
    example = (f'{{{{ "a.b.c" | {name}(".") }}}}', result)
    return Entry(name, _with_text(name, change), summary, (Parameter("separator"),), examples=(example,))


ENTRIES = [
    _cased("lower", str.lower, "Lower case.", ('{{ "LOUD TEXT" | lower }}', "loud text")),
    _cased("upper", str.upper, "Upper case.", ('{{ "quiet text" | upper }}', "QUIET TEXT")),
    _simple("title", _title, "Every word with a capital.", ('{{ "article title" | title }}', "Article Title")),
    _simple(
        "capitalize",
        lambda text: text[:1].upper() + text[1:],
        "The first letter as a capital.",
        ('{{ "hello world" | capitalize }}', "Hello world"),
    ),
    _simple("trim", str.strip, "Without white space around.", ('{{ " padded " | trim }}', "padded")),
    Entry(
        "abbreviate",
        abbreviate,
        "Cuts text to a length, the three dots included.",
        (Parameter("length"),),
        examples=(('{{ "this is a long sentence." | abbreviate(7) }}', "this..."),),
    ),
    Entry(
        "replace",
        replace,
        "Replaces each key of a map by its value; with `regexp=true` the keys are regular expressions.",
        (Parameter("replace_pairs"), Parameter("regexp", False)),
        examples=(("{{ 'I like %this%.' | replace({'%this%': 'tea'}) }}", "I like tea."),),
        context=True,
    ),
    _separated("substringBefore", _before, "What stands before the first separator.", "a"),
    _separated("substringAfter", _after, "What stands after the first separator.", "b.c"),
    _separated("substringBeforeLast", _before_last, "What stands before the last separator.", "a.b"),
    _separated("substringAfterLast", _after_last, "What stands after the last separator.", "c"),
    _simple("slugify", _slug, "A form for URLs and file names.", ('{{ "Hello World!" | slugify }}', "hello-world")),
    Entry(
        "default",
        default,
        "A fallback for what is undefined, null or empty.",
        (Parameter("default"),),
        examples=(('{{ user.phone | default("No phone number") }}', "No phone number"),),
        accepts_null=True,
    ),
    Entry(
        "startsWith",
        _with_text("startsWith", str.startswith),
        "Whether the text begins with a prefix.",
        (Parameter("prefix"),),
        examples=(('{{ "kestra://file.csv" | startsWith("kestra://") }}', "true"),),
    ),
    Entry(
        "endsWith",
        _with_text("endsWith", str.endswith),
        "Whether the text ends with a suffix.",
        (Parameter("suffix"),),
        examples=(('{{ "report.csv" | endsWith(".csv") }}', "true"),),
    ),
    _simple(
        "base64encode",
        lambda text: base64.b64encode(text.encode()).decode(),
        "Encodes as Base64.",
        ('{{ "test" | base64encode }}', "dGVzdA=="),
    ),
    _simple("base64decode", _decode_base64, "Decodes Base64.", ('{{ "dGVzdA==" | base64decode }}', "test")),
    _simple(
        "urlencode",
        _form_encoded,
        "Encodes for the query of a URL.",
        ('{{ "The string ü@foo-bar" | urlencode }}', "The+string+%C3%BC%40foo-bar"),
    ),
    _simple(
        "urldecode",
        unquote_plus,
        "Decodes what `urlencode` encodes.",
        ('{{ "The+string+%C3%BC%40foo-bar" | urldecode }}', "The string ü@foo-bar"),
    ),
    _simple("md5", _digest("md5"), "MD5 digest.", ('{{ "test" | md5 }}', "098f6bcd4621d373cade4e832627b4f6")),
    _simple(
        "sha1", _digest("sha1"), "SHA-1 digest.", ('{{ "test" | sha1 }}', "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3")
    ),
    _simple("sha256", _digest("sha256"), "SHA-256 digest.", ('{{ "test" | sha256 | length }}', "64")),
    _simple("sha512", _digest("sha512"), "SHA-512 digest.", ('{{ "test" | sha512 | length }}', "128")),
    Entry(
        "string",
        lambda frame, value: frame.text(value),
        "Any value as text.",
        examples=(("{{ 42 | string }}", "42"),),
        context=True,
    ),
    Entry(
        "escapeChar",
        escape_char,
        "Escapes quotes: `single`, `double` or `shell`.",
        (Parameter("type"),),
        examples=(("{{ \"Can't be here\" | escapeChar('single') }}", "Can\\'t be here"),),
    ),
]
