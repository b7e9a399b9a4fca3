"""YAML text, read within bounds: one document, no tabs, no depth or repetition of a bomb."""

from __future__ import annotations

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from blackstart.yaml_nodes import MAX_DEPTH, NodeReader, NotReadable, YamlDocument


def read_yaml(text: str) -> YamlDocument:
    """Read one YAML document. Raises ``NotReadable`` when that cannot be done at all.

    What is readable and still wrong (a key twice, an ambiguous number) is in ``problems``.
    """
    try:
        _check_events(text)
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise NotReadable(*_syntax(error)) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise NotReadable(line, f"{what}; remove it") from None
    except (OverflowError, ValueError) as error:
        # The scanner hands the number of an escape such as \U99999999 to chr() unchecked.
        raise NotReadable(1, f"not YAML: {error}; correct the \\U escape") from None
    document = YamlDocument()
    if root is not None:
        document.lines[()] = root.start_mark.line + 1
        document.data = NodeReader(document).value(root, ())
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
    anchors: set[str] = set()
    for event in YAML(typ="safe", pure=True).parse(text):
        anchor = getattr(event, "anchor", None)
        if anchor is not None and not isinstance(event, AliasEvent):
            if anchor in anchors:
                line = event.start_mark.line + 1
                raise NotReadable(line, f"the anchor &{anchor} is taken already; rename one")
            anchors.add(anchor)
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
