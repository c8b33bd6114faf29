"""Conversions between Ion and other formats, run in a worker's context on real files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.builtin.serdes import files
from penstock.builtin.serdes.avro import AvroToIon, IonToAvro
from penstock.builtin.serdes.csv import CsvToIon, IonToCsv
from penstock.builtin.serdes.excel import ExcelToIon, IonToExcel
from penstock.builtin.serdes.files import FormatError, LibraryMissing, Pieces
from penstock.builtin.serdes.json import IonToJson, JsonToIon
from penstock.builtin.serdes.parquet import IonToParquet, ParquetToIon
from penstock.builtin.serdes.xml import IonToXml, XmlToIon
from penstock.sdk import Task, ion_values
from penstock.sdk.items import FileTaskError
from penstock.testing.run_context import RunContextFactory, messages_of

ROWS = """{id:1,name:"Ada",price:1.50,active:true,born:1815-12-10,seen:2026-01-31T10:00:00Z,tags:["a","b"],note:null}
{id:2,name:"Bob, \\"Jr.\\"\\nline",price:2.25,active:false,born:null,seen:null,tags:[],note:"x"}
"""


class Converter:
    """Runs conversions and shows what they store."""

    def __init__(self, contexts: RunContextFactory) -> None:
        self.context = contexts.of()
        self._files = contexts.gateway.files

    def run(self, kind: type[Task], content: bytes | str, **properties: Any) -> Any:
        data = content.encode() if isinstance(content, str) else content
        return self.on(kind, self.context.put_bytes(data, "given"), **properties)

    def on(self, kind: type[Task], uri: Any, **properties: Any) -> Any:
        return kind.model_validate({"id": "t", "type": kind.type_name, "from": uri, **properties}).run(self.context)

    def stored(self, uri: str) -> bytes:
        return self._files[uri]

    def items(self, uri: str) -> list[Any]:
        return ion_values(self.stored(uri).decode())


@pytest.fixture
def convert(contexts: RunContextFactory) -> Converter:
    return Converter(contexts)


# -- CSV


@pytest.mark.parametrize(
    ("content", "properties", "expected"),
    [
        ("a,b\n1,x\n2,y\n", {}, [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]),
        ("\ufeffa,b\r\n1,x\r\n", {}, [{"a": "1", "b": "x"}]),
        ('a;b\n"1;2";"say ""hi""\nthere"\n', {"fieldSeparator": ";"}, [{"a": "1;2", "b": 'say "hi"\nthere'}]),
        ("1\t2\n", {"header": False, "fieldSeparator": "\\t"}, [["1", "2"]]),
        ("junk\na,b\n\n1,2\n", {"skipRows": 1, "skipEmptyRows": True}, [{"a": "1", "b": "2"}]),
        ("a,b\n\n", {}, [{"a": "", "b": None}]),
        ("a,b\n1\n1,2,3\n", {}, [{"a": "1", "b": None}, {"a": "1", "b": "2"}]),
        ("a\né\n".encode("latin-1"), {"charset": "ISO-8859-1"}, [{"a": "é"}]),
        ("a\n'1,2'\n", {"textDelimiter": "'"}, [{"a": "1,2"}]),
        ("", {}, []),
    ],
)
def test_csv_to_ion_gives_an_item_for_each_row(
    convert: Converter, content: bytes | str, properties: dict[str, Any], expected: list[Any]
) -> None:
    """ENG-338, ENG-325."""
    assert convert.items(convert.run(CsvToIon, content, **properties).uri) == expected


@pytest.mark.parametrize(
    ("content", "properties", "message"),
    [
        ("a,b\n1\n", {"errorOnDifferentFieldCount": True}, "row 1 has 1 fields, the first has 2"),
        (b"a\n\xff\n", {}, "cannot be read as CSV"),
        ("a\n", {"charset": "runes"}, "no character set"),
        ("a\n", {"fieldSeparator": "::"}, "must be one character"),
    ],
)
def test_csv_to_ion_what_cannot_be_read_says_what_is_wrong(
    convert: Converter, content: bytes | str, properties: dict[str, Any], message: str
) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match=message):
        convert.run(CsvToIon, content, **properties)


def test_csv_to_ion_uneven_rows_are_told_of(convert: Converter) -> None:
    """ENG-338."""
    convert.run(CsvToIon, "a,b\n1\n1,2,3\n1,2\n")
    assert ("WARN", "2 rows have more or fewer fields than the header") in messages_of(convert.context)


def test_ion_to_csv_writes_values_as_text(convert: Converter) -> None:
    """ENG-338, ENG-397."""
    written = convert.stored(convert.run(IonToCsv, ROWS).uri).decode()
    assert written == (
        "id,name,price,active,born,seen,tags,note\n"
        '1,Ada,1.50,true,1815-12-10,2026-01-31T10:00:00.000Z,"[""a"",""b""]",\n'
        '2,"Bob, ""Jr.""\nline",2.25,false,,,[],x\n'
    )


def test_ion_to_csv_follows_its_properties(convert: Converter) -> None:
    """ENG-338."""
    written = convert.run(
        IonToCsv,
        "{a:2026-01-31T23:30:00Z,b:null,c:2026-01-31}\n{a:2026-01-31T10:00:00-00:00,c:null}\n",
        header=False,
        fieldSeparator=";",
        lineDelimiter="\r\n",
        alwaysDelimitText=True,
        textDelimiter="'",
        nullValue="-",
        dateFormat="dd.MM.yyyy",
        dateTimeFormat="yyyy-MM-dd HH:mm[ XXX]",
        timeZoneId="Europe/Paris",
    )
    assert convert.stored(written.uri).decode() == (
        "'2026-02-01 00:30 +01:00';'-';'31.01.2026'\r\n'2026-01-31 10:00';'-';'-'\r\n"
    )


def test_ion_to_csv_items_without_fields_are_refused(convert: Converter) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match="item 2 is neither"):
        convert.run(IonToCsv, "[1]\n2\n")


# -- JSON


@pytest.mark.parametrize(
    ("content", "properties"),
    [
        ('{"a": 1.10}\n\n{"a": [true, null]}\n', {}),
        (' [ {"a": 1.10},\n {"a": [true, null]} ]', {"newLine": False}),
        ('{"a": 1.10} {"a": [true, null]}', {"newLine": False}),
    ],
)
def test_json_to_ion_gives_lines_or_elements(convert: Converter, content: str, properties: dict[str, Any]) -> None:
    """ENG-338."""
    converted = convert.run(JsonToIon, content, **properties)
    assert convert.stored(converted.uri) == b"{a:1.10}\n{a:[true,null]}\n"


@pytest.mark.parametrize(("content", "properties"), [('{"a": }\n', {}), ('[{"a": 1}', {"newLine": False})])
def test_json_to_ion_what_is_no_json_is_refused(convert: Converter, content: str, properties: dict[str, Any]) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match="cannot be read as JSON"):
        convert.run(JsonToIon, content, **properties)


def test_json_to_ion_array_with_letters_beyond_ascii_is_read_whole(convert: Converter) -> None:
    """ENG-338."""
    wanted = [{"text": "é€😀" * 1_000, "n": number} for number in range(200)]
    converted = convert.run(JsonToIon, json.dumps(wanted, ensure_ascii=False), newLine=False)
    assert convert.items(converted.uri) == wanted


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, '{"a":1.50,"d":"2026-01-31T10:00:00Z"}\n[1,{"x":2}]\n'),
        ({"newLine": False}, '[{"a":1.50,"d":"2026-01-31T10:00:00Z"},[1,{"x":2}]]'),
        ({"shouldKeepNull": True}, '{"a":1.50,"b":null,"d":"2026-01-31T10:00:00Z"}\n[1,{"x":2}]\n'),
        ({"timeZoneId": "Asia/Tokyo"}, '{"a":1.50,"d":"2026-01-31T19:00:00+09:00"}\n[1,{"x":2}]\n'),
    ],
)
def test_ion_to_json_writes_lines_or_an_array(convert: Converter, properties: dict[str, Any], expected: str) -> None:
    """ENG-338."""
    converted = convert.run(IonToJson, "{a:1.50,b:null,d:2026-01-31T10:00:00Z}\n[1,{x:2}]\n", **properties)
    assert convert.stored(converted.uri).decode() == expected


@pytest.mark.parametrize(("by_line", "expected"), [(True, b""), (False, b"[]")])
def test_ion_to_json_without_items_writes_an_empty_file(convert: Converter, by_line: bool, expected: bytes) -> None:
    """ENG-338."""
    assert convert.stored(convert.run(IonToJson, "", newLine=by_line).uri) == expected


# -- XML

CATALOG = """<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns:s="http://stock" year="2026">
  <book id="b1"><title lang="en">Dune</title><s:left>3</s:left><tag>a</tag><tag>b</tag></book>
  <other><book>not this</book></other>
  <book id="b2"><title>Solaris</title><price>9.5</price><sold>true</sold><note/></book>
</catalog>
"""


def test_xml_to_ion_by_a_path_gives_its_elements(convert: Converter) -> None:
    """ENG-338."""
    converted = convert.run(XmlToIon, CATALOG, query="/catalog/book")
    assert convert.items(converted.uri) == [
        {"id": "b1", "title": {"lang": "en", "content": "Dune"}, "s:left": 3, "tag": ["a", "b"]},
        {"id": "b2", "title": "Solaris", "price": 9.5, "sold": True, "note": ""},
    ]


def test_xml_to_ion_without_a_path_gives_the_document(convert: Converter) -> None:
    """ENG-338."""
    converted = convert.run(XmlToIon, "<a><b><c>1</c></b><d>x</d></a>", parserConfiguration={"forceList": ["b", "d"]})
    assert convert.items(converted.uri) == [{"a": {"b": [{"c": 1}], "d": ["x"]}}]


@pytest.mark.parametrize(
    "content",
    [
        "<a><b></a>",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    ],
    ids=["broken", "entity", "file"],
)
def test_xml_to_ion_broken_or_with_entities_is_refused(convert: Converter, content: str) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match="cannot be read as XML"):
        convert.run(XmlToIon, content)


def test_xml_to_ion_in_another_character_set_is_read(convert: Converter) -> None:
    """ENG-338."""
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'.encode("latin-1")
    assert convert.items(convert.run(XmlToIon, declared).uri) == [{"a": "é"}]
    assert convert.items(convert.run(XmlToIon, "<a>é</a>".encode("latin-1"), charset="latin-1").uri) == [{"a": "é"}]


def test_ion_to_xml_writes_an_element_for_each_item(convert: Converter) -> None:
    """ENG-338."""
    items = '{a:"<x>&",\'1 b\':[1,2],c:{d:null},e:2026-01-31}\n"text"\n'
    written = convert.stored(convert.run(IonToXml, items, rootName="rows").uri).decode()
    assert written == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rows><item><a>&lt;x&gt;&amp;</a><_1_b>1</_1_b><_1_b>2</_1_b>'
        "<c><d/></c><e>2026-01-31</e></item><item>text</item></rows>"
    )


# -- formats with a schema

SCHEMA = {
    "type": "record",
    "name": "person",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "active", "type": "boolean"},
        {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "sizes", "type": {"type": "map", "values": "double"}},
        {"name": "home", "type": {"type": "record", "name": "place", "fields": [{"name": "city", "type": "string"}]}},
        {"name": "raw", "type": "bytes"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
GIVEN = {
    "id": "7",
    "active": "Yes",
    "price": "1.5",
    "born": "1815-12-10",
    "seen": "2026-01-31T10:00:00Z",
    "tags": ["a", 1],
    "sizes": {"s": "1"},
    "home": {"city": "Paris", "surplus": 1},
    "raw": "AQI=",
}
FITTED = (
    '{id:7,active:true,price:1.50,born:1815-12-10,seen:2026-01-31T10:00:00Z,tags:["a","1"],sizes:{s:1.0e0},'
    'home:{city:"Paris"},raw:{{AQI=}},note:null}\n'
)
FORMATS = pytest.mark.parametrize(
    ("there", "back"), [(IonToAvro, AvroToIon), (IonToParquet, ParquetToIon)], ids=["avro", "parquet"]
)


@FORMATS
def test_items_written_by_a_schema_come_back_in_its_types(
    convert: Converter, there: type[Task], back: type[Task]
) -> None:
    """ENG-338."""
    written = convert.run(there, json.dumps(GIVEN) + "\n", schema=json.dumps(SCHEMA))
    found = convert.stored(convert.on(back, written.uri).uri).decode()
    assert found.replace('sizes:[["s",1.0e0]]', "sizes:{s:1.0e0}") == FITTED


@FORMATS
def test_items_without_a_schema_come_back_as_they_were(convert: Converter, there: type[Task], back: type[Task]) -> None:
    """ENG-338."""
    written = convert.run(there, ROWS)
    found = convert.items(convert.on(back, written.uri).uri)
    expected = ion_values(ROWS)
    for item in expected:
        item["price"] = float(item["price"])
    assert found == expected


@FORMATS
@pytest.mark.parametrize(("behavior", "level"), [("WARN", "WARN"), ("SKIP", None)])
def test_items_that_do_not_fit_are_left_out_when_asked_to(
    convert: Converter, there: type[Task], back: type[Task], behavior: str, level: str | None
) -> None:
    """ENG-338."""
    schema = {"type": "record", "name": "r", "fields": [{"name": "n", "type": "int"}]}
    content = '{n:1}\n{n:"many"}\n5\n{n:3}\n'
    written = convert.run(there, content, schema=json.dumps(schema), onBadLines=behavior)
    assert convert.items(convert.on(back, written.uri).uri) == [{"n": 1}, {"n": 3}]
    told = messages_of(convert.context)
    assert ("INFO", "2 items left out") in told
    assert ((level, "item 2 is left out: field `n` is 'many', and must be int") in told) is (level is not None)
    with pytest.raises(FormatError, match="item 2: field `n` is 'many'"):
        convert.run(there, content, schema=json.dumps(schema))


@pytest.mark.parametrize("kind", [AvroToIon, ParquetToIon, ExcelToIon])
def test_a_file_of_another_format_is_refused(convert: Converter, kind: type[Task]) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match="cannot be read as"):
        convert.run(kind, "a,b\n1,2\n")


@pytest.mark.parametrize(
    "schema",
    ["no json", '{"type": "string"}', '{"type": "record", "name": "r", "fields": [{"name": "a", "type": "colour"}]}'],
)
def test_a_schema_that_is_none_is_refused(convert: Converter, schema: str) -> None:
    """ENG-338."""
    with pytest.raises(FormatError, match="schema"):
        convert.run(IonToAvro, "{a:1}\n", schema=schema)


def test_parquet_groups_and_codecs_are_those_asked_for(convert: Converter) -> None:
    """ENG-338."""
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    rows = "".join(f"{{n:{number}}}\n" for number in range(25))
    written = convert.run(IonToParquet, rows, rowGroupSize=10, compressionCodec="ZSTD", parquetVersion="V1")
    found = parquet.ParquetFile(arrow.BufferReader(convert.stored(written.uri))).metadata
    assert (found.num_rows, found.num_row_groups, found.format_version) == (25, 3, "1.0")
    assert found.row_group(0).column(0).compression == "ZSTD"


# -- Excel


def test_excel_sheets_come_back_as_they_were(convert: Converter) -> None:
    """ENG-338."""
    first = convert.context.put_bytes(b'{a:1,b:"=1+1",c:2026-01-31T10:00:00Z}\n{a:2,b:null,c:null}\n', "one")
    second = convert.context.put_bytes(b'{x:["l"],y:true}\n', "two")
    book = convert.on(IonToExcel, {"One": first, "Two": second})
    assert book.size == 3
    sheets = convert.on(ExcelToIon, book.uri)
    assert (list(sheets.uris), sheets.size) == (["One", "Two"], 3)
    assert convert.stored(sheets.uris["One"]) == b'{a:1,b:"=1+1",c:2026-01-31T10:00:00-00:00}\n{a:2,b:null,c:null}\n'
    assert convert.items(sheets.uris["Two"]) == [{"x": '["l"]', "y": True}]


def test_excel_without_header_gives_lists_of_one_sheet(convert: Converter) -> None:
    """ENG-338."""
    book = convert.run(IonToExcel, "[1,2]\n[null,null]\n[3,4.5]\n", header=False, sheetsTitle="Data")
    read = convert.on(
        ExcelToIon, book.uri, header=False, skipEmptyRows=True, sheetsTitle=["Data"], valueRender="FORMATTED_VALUE"
    )
    assert convert.items(read.uris["Data"]) == [["1", "2"], ["3", "4.5"]]
    with pytest.raises(FormatError, match=r"no sheet `Other`.*|there is Data"):
        convert.on(ExcelToIon, book.uri, sheetsTitle=["Other"])


# -- all of them


def test_a_library_that_is_not_installed_is_named_with_its_extra(
    convert: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENG-338."""

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(files.importlib, "import_module", missing)
    with pytest.raises(LibraryMissing) as failure:
        convert.run(AvroToIon, b"")
    assert "penstock[avro]" in (failure.value.hint or "")


def test_a_conversion_that_is_killed_ends(convert: Converter) -> None:
    """ENG-338."""
    convert.context.interrupt()
    with pytest.raises(FileTaskError, match="stopped"):
        convert.run(CsvToIon, "a\n1\n")


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_a_stream_of_pieces_gives_all_bytes(size: int) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"abc", b"", b"defgh")

    stream = Pieces(pieces())
    found = b"".join(iter(lambda: stream.read(size) or b"", b""))
    assert found == b"abcdefgh"


@pytest.mark.parametrize("kind", [CsvToIon, JsonToIon, IonToCsv])
def test_conversions_count_records(convert: Converter, kind: type[Task], contexts: RunContextFactory) -> None:
    """ENG-338, PLG-025."""
    convert.run(kind, "{}\n{}\n" if kind is not CsvToIon else "a\n1\n2\n")
    assert [(one.name, one.value) for one in convert.context.log.take_metrics()] == [("records", 2)]
