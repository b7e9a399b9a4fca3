"""YAML nodes as plain data in which every value knows its line.

Only what reads the same to every reader is taken: numbers that older readers see as
octal, sexagesimal or grouped are refused with the advice to quote them, and so are
merge keys and tags, which YAML 1.2 (https://yaml.org/spec/1.2.2/) has no need of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
    if _is_private(path):
        return "the value"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = repr(value) if isinstance(value, str) else text
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_private(path: Path) -> bool:
    keys = [step for step in path if isinstance(step, str)]
    return bool(keys) and _PRIVATE.search(keys[-1]) is not None


class NodeReader:
    """Turns a node graph into plain data. An alias is read again at each of its places.

    ``MAX_DEPTH`` and ``MAX_VALUES`` bound what aliases of aliases may grow to.
    """

    def __init__(self, document: YamlDocument) -> None:
        self._document = document
        self._open: set[int] = set()
        self._values = 0

    def _note(self, path: Path, node: Node, text: str) -> None:
        self._document.problems.setdefault(path, LineProblem(node.start_mark.line + 1, text))

    def value(self, node: Node, path: Path) -> object:
        """The data of a node. Raises ``NotReadable`` beyond the bounds of this module."""
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
        if tag in {"int", "float"} and not _is_private(path):
            quoted = shown(text, path)
            advice = "write text in quotes and numbers as plain decimals"
            self._note(path, node, f"{quoted} is a number to some readers only; {advice}")
        elif tag not in {"str", "timestamp", "value", "int", "float"}:
            self._note(path, node, "a tag (!) stands before the value; remove the tag")
        return text
