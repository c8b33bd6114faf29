"""Previews of files."""

from __future__ import annotations

import base64

import pytest
from amazon.ion import simpleion

from penstock.base.errors import InvalidRequestError
from penstock.services.previews import preview


def shown(data: bytes, extension: str, rows: int = 10, size: int | None = None, encoding: str = "UTF-8"):  # type: ignore[no-untyped-def]
    found = preview(data, extension, len(data) if size is None else size, rows, encoding)
    return found.type, found.content, found.truncated


def test_preview_of_rows_in_several_formats_is_a_list() -> None:
    expected = ("LIST", [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], False)
    assert shown(b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "jsonl") == expected
    assert shown(b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "json") == expected
    assert shown(b'{a:1,b:"x"}\n{a:2,b:"y"}\n', "ion") == expected
    assert shown(bytes(simpleion.dumps({"a": 1, "b": "x"})), "ion") == ("LIST", [{"a": 1, "b": "x"}], False)
    assert shown(b"\xe0\x01\x00\xea\x21", "ion")[0] == "TEXT"
    assert shown(b"a;b\n1;x\n", "csv")[1] == [{"a;b": "1;x"}]
    assert shown(b"a\tb\n1\tx\n", "tsv")[1] == [{"a": "1", "b": "x"}]


def test_preview_of_a_long_file_is_cut_at_whole_rows() -> None:
    assert shown(b"one\ntwo\nthree\n", "txt", rows=2) == ("TEXT", "one\ntwo", True)
    assert shown(b'{"a": 1}\n{"a": 2}\n{"a"', "jsonl", size=10_000) == ("LIST", [{"a": 1}, {"a": 2}], True)


def test_preview_of_a_file_that_is_not_what_its_name_says_is_text() -> None:
    assert shown(b"{broken", "json") == ("TEXT", "{broken", False)
    assert shown(b'{"an": "object"}', "json") == ("TEXT", '{"an": "object"}', False)


def test_preview_of_a_picture_is_base64_when_it_is_whole() -> None:
    assert shown(b"\x89PNG", "png") == ("IMAGE", base64.b64encode(b"\x89PNG").decode(), False)
    assert shown(b"\x89PNG", "png", size=10_000_000) == ("IMAGE", None, True)


def test_preview_reads_the_encoding_that_is_named() -> None:
    assert shown("déjà".encode("latin-1"), "txt", encoding="ISO-8859-1") == ("TEXT", "déjà", False)
    with pytest.raises(InvalidRequestError, match="klingon"):
        shown(b"x", "txt", encoding="klingon")


def test_preview_of_markdown_says_so() -> None:
    assert shown(b"# Title", "md") == ("MARKDOWN", "# Title", False)
