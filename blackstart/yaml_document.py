"""YAML text as plain data in which every value knows its line.

YAML 1.2 (https://yaml.org/spec/1.2.2/), and of that only what reads the same to every
reader: numbers that older readers take for octal, sexagesimal or grouped digits are
refused with the advice to quote them, and so are merge keys, tags and text nested or
repeated beyond what a person would write (the "billion laughs" of aliases).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from blackstart.model.document import Path

MAX_DEPTH = 24
MAX_VALUES = 50_000

_TAG = "tag:yaml.org,2002:"
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PRIVATE = re.compile(r"pass|token|secret|key|credential", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LineProblem:
    """One thing that is wrong, ``text`` being ``what is wrong; remedy``."""

    line: int
    text: str


class NotReadable(Exception):
    """The text is no YAML, or none that is read here."""

    def __init__(self, line: int, text: str) -> None:
        self.problem = LineProblem(line, text)
        super().__init__(text)


@dataclass
class YamlDocument:
    """Plain data (mappings, lists, text, numbers, booleans, ``None``) and its lines."""

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: dict[Path, LineProblem] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of a value, or of the nearest part of the document that holds it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def shown(value: object, path: Path) -> str:
    """A value as messages quote it: short, and not at all where a secret might be."""
    if any(isinstance(step, str) and _PRIVATE.search(step) for step in path):
        return "the value"
    text = repr(value) if isinstance(value, str) else str(value)
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def read_yaml(text: str) -> YamlDocument:
    """Read one YAML document. Raises ``NotReadable`` when that cannot be done at all.

    What is readable and still wrong (a key twice, an ambiguous number) is in ``problems``.
    """
    try:
        _check_events(text)
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise NotReadable(*_syntax(error)) from None
    except YAMLError as error:
        raise NotReadable(1, f"not YAML: {_one_line(str(error))}; correct it") from None
    document = YamlDocument()
    if root is not None:
        document.lines[()] = root.start_mark.line + 1
        document.data = _Reader(document).value(root, ())
    return document


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _syntax(error: MarkedYAMLError) -> tuple[int, str]:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    what = _one_line(error.problem or error.context or "no reason given")
    if "'\\t'" in what:
        return line, "a tab stands here; YAML is indented by spaces: replace the tab"
    if "single document" in (error.context or ""):
        return line, "a second document begins here (---); keep one site per file"
    return line, f"not YAML: {what}; correct this line or the one before"


def _check_events(text: str) -> None:
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, DocumentStartEvent) and event.version not in {None, (1, 2)}:
            line = event.start_mark.line + 1
            raise NotReadable(line, "the file asks for an older YAML; remove the %YAML line")
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1
            raise NotReadable(line, f"nested deeper than {MAX_DEPTH} levels; flatten it")


class _Reader:
    """Turns a node graph into plain data. An alias is read again at each of its places."""

    def __init__(self, document: YamlDocument) -> None:
        self._document = document
        self._open: set[int] = set()
        self._values = 0

    def _note(self, path: Path, node: Node, text: str) -> None:
        self._document.problems.setdefault(path, LineProblem(node.start_mark.line + 1, text))

    def value(self, node: Node, path: Path) -> object:
        self._values += 1
        line = node.start_mark.line + 1
        if self._values > MAX_VALUES:
            raise NotReadable(line, f"more than {MAX_VALUES} values with its aliases; write less")
        if len(path) > MAX_DEPTH:
            raise NotReadable(line, f"nested deeper than {MAX_DEPTH} levels; flatten it")
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            raise NotReadable(line, "an alias that contains itself; write the value out")
        self._open.add(id(node))
        try:
            return self._collection(node, path)
        finally:
            self._open.remove(id(node))

    def _collection(self, node: Node, path: Path) -> object:
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        assert isinstance(node, SequenceNode)
        return self._sequence(node, path)

    def _sequence(self, node: SequenceNode, path: Path) -> list[object]:
        items: list[object] = []
        for index, item in enumerate(node.value):
            here = (*path, index)
            self._document.lines[here] = item.start_mark.line + 1
            items.append(self.value(item, here))
        return items

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, object]:
        read: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            here = (*path, key)
            if key in read:
                first = self._document.lines[here]
                text = f"key {key!r} is already on line {first}; keep one of the two"
                self._note((*here, f"line {key_node.start_mark.line + 1}"), key_node, text)
                continue
            self._document.lines[here] = key_node.start_mark.line + 1
            read[key] = self.value(value_node, here)
        return read

    def _key(self, node: Node, path: Path) -> str | None:
        """The text of a key; ``None`` when it is none, which is then a problem."""
        place = (*path, f"line {node.start_mark.line + 1}")
        if not isinstance(node, ScalarNode):
            self._note(place, node, "a list or mapping stands as a key; write a name")
            return None
        if node.tag == f"{_TAG}merge":
            self._note(place, node, "'<<' merges are not in YAML 1.2; write the keys out")
            return None
        if node.tag not in {f"{_TAG}str", f"{_TAG}value"} or _SURROGATE.search(node.value):
            quoted = shown(node.value, ())
            self._note(place, node, f"the key {quoted} is read as no text; write it in quotes")
            return None
        return str(node.value)

    def _scalar(self, node: ScalarNode, path: Path) -> object:
        text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
        if _SURROGATE.search(text):
            self._note(path, node, "half a surrogate pair is no character; write the character")
            return ""
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag == "int" and _WHOLE.fullmatch(text):
            return int(text)
        if tag == "float" and _DECIMAL.fullmatch(text):
            return float(text)
        if tag in {"int", "float"}:
            quoted = shown(text, path)
            advice = "write text in quotes and numbers as plain decimals"
            self._note(path, node, f"{quoted} is a number to some readers only; {advice}")
        elif tag not in {"str", "timestamp", "value"}:
            self._note(path, node, "a tag (!) stands before the value; remove the tag")
        return text
