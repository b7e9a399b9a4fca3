"""Statements of ISC dhcpd's files: ``dhcpd.conf`` and ``dhcpd.leases`` share one grammar.

A statement is words up to a semicolon, or words and a block in braces (dhcpd.conf(5),
dhcpd.leases(5); common/conflex.c and common/parse.c of ISC DHCP 4.4.3-P1, the last release).
dhcpd warns and reads on; here whatever it would warn about ends the reading, because an
entry that was skipped looks the same as one that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from blackstart.errors import Malformed

MAX_CHARACTERS = 16 * 1024 * 1024
MAX_DEPTH = 32

# dhcpd lets strings span lines and never writes one that does (print.c, quotify_string):
# here a lost quote costs a line and not the rest of the file.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<comment>\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\[^\n])*")
      | (?P<mark>[{};])
      | (?P<word>[(),=] | [\x21\x24-\x27\x2a\x2b\x2d-\x3a\x3c\x3e-\x7a\x7c\x7e]+)""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """Words as they are written (strings with their quotes), the line, the block if any."""

    words: tuple[str, ...]
    line: int
    block: tuple[Statement, ...] | None = None

    @property
    def keyword(self) -> str:
        """The first word; dhcpd takes it in any case of letters."""
        return self.words[0].lower()

    @property
    def arguments(self) -> tuple[str, ...]:
        """All words but the first."""
        return self.words[1:]


@dataclass(slots=True)
class _Open:
    """A block that has not ended: its own head, and what it holds so far."""

    head: tuple[str, ...]
    line: int
    inside: list[Statement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int
    is_mark: bool


def statements(text: str) -> tuple[Statement, ...]:
    """All statements of a file. Raises ``Malformed`` with the line of what cannot be one.

    The text is never quoted in an error, because ``dhcpd.conf`` holds keys.
    """
    if len(text) > MAX_CHARACTERS:
        raise Malformed(1, f"more than {MAX_CHARACTERS // 1024 // 1024} Mi characters")
    blocks = [_Open((), 0)]
    words: list[_Token] = []
    after_block = False
    for token in _joined(_tokens(text)):
        if not token.is_mark:
            words.append(token)
        elif token.text == "{":
            _open(blocks, words, token)
        elif token.text == "}":
            _close(blocks, words, token)
        elif words:
            blocks[-1].inside.append(_statement(words))
        elif not after_block:
            # `key k { … };` is common; any other empty statement is a mistyped one.
            raise Malformed(token.line, "a semicolon without a statement")
        after_block = token.is_mark and token.text == "}"
        if token.is_mark:
            words = []
    if words:
        raise Malformed(words[0].line, "the file ends within the statement that begins here")
    if len(blocks) > 1:
        raise Malformed(blocks[-1].line, "the file ends within the block that begins here")
    return tuple(blocks[0].inside)


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            string = text[position] == '"'
            what = "a string that does not end" if string else "a character that no word has"
            raise Malformed(line, what)
        if found.lastgroup not in ("space", "comment"):
            yield _Token(found[0], line, found.lastgroup == "mark")
        line += found[0].count("\n")
        position = found.end()


def _joined(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Braces of a record's definition are words and no block.

    ``option space.name code 1 = array of { ip-address, text };`` (dhcp-options(5)): no other
    statement that begins with ``option`` has any.
    """
    keyword, defines, depth = "", False, 0
    for token in tokens:
        inline = token.is_mark and defines and token.text in "{}"
        if inline:
            depth += 1 if token.text == "{" else -1
        if depth < 0 or (depth and token.text == ";"):
            raise Malformed(token.line, "braces that do not match")
        if token.is_mark and not inline:
            keyword, defines = "", False
        else:
            keyword = keyword or token.text.lower()
            defines = defines or (keyword == "option" and token.text == "=")
        yield _Token(token.text, token.line, is_mark=False) if inline else token


def _texts(words: list[_Token]) -> tuple[str, ...]:
    """The words of one statement. Raises ``Malformed`` when its parentheses do not match."""
    depth = 0
    for word in words:
        depth += (word.text == "(") - (word.text == ")")
        if depth < 0:
            break
    if depth:
        raise Malformed(words[0].line, "parentheses that do not match")
    return tuple(word.text for word in words)


def _statement(words: list[_Token]) -> Statement:
    return Statement(_texts(words), words[0].line)


def _open(blocks: list[_Open], words: list[_Token], brace: _Token) -> None:
    if not words:
        raise Malformed(brace.line, "a block that nothing names")
    if len(blocks) > MAX_DEPTH:
        raise Malformed(brace.line, f"more than {MAX_DEPTH} blocks in each other")
    blocks.append(_Open(_texts(words), words[0].line))


def _close(blocks: list[_Open], words: list[_Token], brace: _Token) -> None:
    if words:
        raise Malformed(words[0].line, "no semicolon after the statement that begins here")
    if len(blocks) == 1:
        raise Malformed(brace.line, "a closing brace without a block")
    ended = blocks.pop()
    blocks[-1].inside.append(Statement(ended.head, ended.line, tuple(ended.inside)))
