"""XML: `XmlToIon`, `IonToXml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from defusedxml.ElementTree import ParseError, iterparse  # type: ignore[import-untyped]
from pydantic import Field

from penstock.builtin.serdes.files import (
    Conversion,
    ConvertedFile,
    FormatError,
    charset_of,
    items,
    new_file,
    store_items,
    stream_of,
    text_of,
)
from penstock.builtin.serdes.texts import Formats, zone_of
from penstock.sdk import PluginModel, Property, RunContext

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,17})(\.\d+)?([eE][+-]?\d+)?")
_UNFIT = re.compile(r"[^\w.-]", re.ASCII)
_FORMATS = ("", "yyyy-MM-dd", "HH:mm:ss[XXX]", "yyyy-MM-dd'T'HH:mm:ss.SSS[XXX]")


class ParserConfiguration(PluginModel):
    """How XML becomes values."""

    force_list: list[str] = Field([], description="Elements that are always lists, also where there is one alone.")


class XmlToIon(Conversion):
    """Make an XML file into items: the elements at a path, or the whole document as one.

    Elements become maps of their attributes and inner elements, those that repeat lists; text that looks like a number
    or a boolean becomes one.

    Read the items of a feed as rows:

    ```yaml
    tasks:
      - id: feed
        type: io.kestra.plugin.core.http.Download
        uri: https://example.com/feed.xml
      - id: rows
        type: io.kestra.plugin.serdes.xml.XmlToIon
        from: "{{ outputs.feed.uri }}"
        query: /rss/channel/item
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.xml.XmlToIon"
    type_aliases = ("io.kestra.plugin.serdes.xml.XmlReader",)

    query: Property[str] | None = Field(None, description="The path of the elements, such as `/catalog/book`.")
    parser_configuration: ParserConfiguration | None = Field(None, description="How XML becomes values.")
    charset: Property[str] = Field(
        Property.of("UTF-8"), description="The character set of a file that does not name its own."
    )

    def run(self, context: RunContext) -> ConvertedFile:
        """Read element by element."""
        uri = context.render(self.from_)
        path = [part for part in (context.render(self.query) or "").split("/") if part]
        configuration = self.parser_configuration or ParserConfiguration()
        reader = _Reader(path, frozenset(configuration.force_list))
        charset = charset_of(context.render(self.charset))
        # Without a declaration the parser takes UTF-8 for granted, so that anything else is read here.
        source: IO[Any] = stream_of(context, uri) if charset == "utf-8" else text_of(context, uri, charset)
        try:
            with source:
                return ConvertedFile(uri=store_items(context, reader.items(source))[0])
        except (ParseError, ValueError) as error:  # a ValueError: it has entities, which are refused
            raise FormatError(f"{uri} cannot be read as XML: {error}") from None


class _Reader:
    """Turns the elements at a path into values; no other elements are kept.

    Args:
        path: Names from the root; empty for the whole document.
        lists: Names of elements that are always lists.
    """

    def __init__(self, path: list[str], lists: frozenset[str]) -> None:
        self._path = path
        self._lists = lists
        self._prefixes: dict[str, str] = {}

    def items(self, source: IO[Any]) -> Iterator[Any]:
        """Yield the values one by one."""
        above: list[Element] = []
        names: list[str] = []
        depth = len(self._path)
        for event, found in iterparse(source, events=("start", "end", "start-ns")):
            if event == "start-ns":
                prefix, address = found
                self._prefixes[address] = prefix
            elif event == "start":
                above.append(found)
                names.append(self._name(found.tag))
            else:
                above.pop()
                if names == self._path:
                    yield self._value(found)
                elif not above and not self._path:
                    yield {names[0]: self._value(found)}
                if above and (len(names) <= depth or names[:depth] != self._path):
                    above[-1].remove(found)  # nobody will ask for it any more
                names.pop()

    def _name(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        address, _, local = tag[1:].partition("}")
        prefix = self._prefixes.get(address, "")
        return f"{prefix}:{local}" if prefix else local

    def _value(self, element: Element) -> Any:
        fields: dict[str, Any] = {self._name(key): _typed(value) for key, value in element.attrib.items()}
        for child in element:
            name, value = self._name(child.tag), self._value(child)
            if name not in fields:
                fields[name] = [value] if name in self._lists else value
            elif isinstance(fields[name], list):
                fields[name].append(value)
            else:
                fields[name] = [fields[name], value]
        text = (element.text or "").strip()
        if not fields:
            return _typed(text)
        return fields | {"content": _typed(text)} if text else fields


def _typed(text: str) -> Any:
    """Return a number or a boolean where a text is one."""
    if text in ("true", "false"):
        return text == "true"
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    return float(text) if number[2] or number[3] else int(text)


class IonToXml(Conversion):
    """Make items into an XML file: one element for each, within a root.

    Write rows as XML:

    ```yaml
    inputs:
      - id: orders
        type: FILE
    tasks:
      - id: xml
        type: io.kestra.plugin.serdes.xml.IonToXml
        from: "{{ inputs.orders }}"
        rootName: orders
    ```

    Implements ENG-338.
    """

    type_name = "io.kestra.plugin.serdes.xml.IonToXml"
    type_aliases = ("io.kestra.plugin.serdes.xml.XmlWriter",)

    root_name: Property[str] = Field(Property.of("items"), description="The name of the root.")
    time_zone_id: Property[str] | None = Field(
        None, description="The zone that dates with a time are shown in; each in its own by default."
    )
    charset: Property[str] = Field(Property.of("UTF-8"), description="The character set of the file.")

    def run(self, context: RunContext) -> ConvertedFile:
        """Write item by item."""
        charset = charset_of(context.render(self.charset))
        formats = Formats(*_FORMATS, zone_of(context.render(self.time_zone_id)))
        root = _fit(context.render(self.root_name))
        local = new_file(context, "items.xml")
        with local.open("w", encoding=charset, errors="xmlcharrefreplace", newline="\n") as target:
            writer = XMLGenerator(target, encoding=charset.upper(), short_empty_elements=True)
            writer.startDocument()
            writer.startElement(root, AttributesImpl({}))
            for item in items(context, context.render(self.from_)):
                _write(writer, "item", item, formats)
            writer.endElement(root)
            writer.endDocument()
        return ConvertedFile(uri=context.put_file(local, "items.xml"))


def _write(writer: XMLGenerator, name: str, value: Any, formats: Formats) -> None:
    """Write an element; a list is one element for each of its values."""
    if isinstance(value, list):
        for one in value:
            _write(writer, name, one, formats)
        return
    writer.startElement(name, AttributesImpl({}))
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _write(writer, _fit(str(key)), inner, formats)
    elif value is not None:
        writer.characters(formats.text(value))
    writer.endElement(name)


def _fit(name: str) -> str:
    """Return a name that an element can have."""
    fitting = _UNFIT.sub("_", name)
    return fitting if fitting and (fitting[0].isalpha() or fitting[0] == "_") else f"_{fitting}"
