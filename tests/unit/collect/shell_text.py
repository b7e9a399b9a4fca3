"""What a POSIX shell text would run: its simple commands, also those inside others.

Enough of the shell's grammar (POSIX, 2.10) for the texts that are run on hosts: quotes,
comments, substitutions, compound commands, case patterns, functions, redirections. What is
read wrongly becomes a command that is on no list, so that an error here is never silent.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

_OPERATORS = re.compile(r"\|\||&&|;;|[|;&()\n]")
_REDIRECT = re.compile(r"(\d*)(>>|>&|<&|>|<)")
_FUNCTION = re.compile(r"^\s*(\w+)\(\)", re.MULTILINE)
_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_REDIRECTS = {">", ">>", ">&", "<", "<&"}
_RESERVED = {
    *("if", "then", "elif", "else", "fi", "while", "until", "for", "do", "done", "case", "esac"),
    *("!", "{", "}"),
}
_RUNNERS = {"exec", "command", "env", "sudo", "nice", "xargs"}


@dataclass(frozen=True)
class Command:
    """One simple command, quotes removed; ``written`` are the files it would write to."""

    words: tuple[str, ...]
    written: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        return self.words[0].rpartition("/")[2]


@dataclass
class _Token:
    text: str
    operator: bool
    plain: bool  # without any quote, so that it may be a reserved word


@dataclass
class _Reader:
    """Takes a text apart; ``inner`` are texts of substitutions."""

    text: str
    at: int = 0
    inner: list[str] = field(default_factory=list)

    def tokens(self) -> Iterator[_Token]:
        while self.at < len(self.text):
            char = self.text[self.at]
            operator = _OPERATORS.match(self.text, self.at)
            if char in " \t" or self.text.startswith("\\\n", self.at):
                self.at += 1 if char in " \t" else 2
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif redirect := _REDIRECT.match(self.text, self.at):
                self.at = redirect.end()
                yield _Token(redirect[2], True, True)
            elif operator:
                self.at = operator.end()
                yield _Token(operator[0], True, True)
            else:
                yield self._word()

    def _word(self) -> _Token:
        found, plain = "", True
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "'":
                end = self.text.index("'", self.at + 1)
                found, self.at, plain = found + self.text[self.at + 1 : end], end + 1, False
            elif char == '"':
                found, plain = found + self._quoted(), False
            elif char == "\\":
                found, self.at, plain = found + self.text[self.at + 1], self.at + 2, False
            elif char in "$`":
                found += self._substitution()
            elif char in " \t\n;|&()<>":
                break
            else:
                found, self.at = found + char, self.at + 1
        return _Token(found, False, plain)

    def _quoted(self) -> str:
        found = ""
        self.at += 1
        while self.text[self.at] != '"':
            if self.text[self.at] == "\\":
                found, self.at = found + self.text[self.at : self.at + 2], self.at + 2
            elif self.text[self.at] in "$`":
                found += self._substitution()
            else:
                found, self.at = found + self.text[self.at], self.at + 1
        self.at += 1
        return found

    def _substitution(self) -> str:
        start = self.at
        if self.text[start] == "`":
            end = self.text.index("`", start + 1)
            self.inner.append(self.text[start + 1 : end])
            self.at = end + 1
        elif self.text.startswith("$((", start):
            self.at = self.text.index("))", start) + 2
        elif self.text.startswith("$(", start):
            self.at = self._closing(start + 2, "()")
            self.inner.append(self.text[start + 2 : self.at - 1])
        elif self.text.startswith("${", start):
            self.at = self._closing(start + 2, "{}")
        else:
            self.at += 1
        return self.text[start : self.at]

    def _closing(self, at: int, pair: str) -> int:
        """After the bracket that closes a substitution."""
        depth = 1
        quote = ""
        while depth:
            char = self.text[at]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            else:
                depth += (char == pair[0]) - (char == pair[1])
            at += 1
        return at


def commands(text: str) -> list[Command]:
    """Every simple command of a text, in its order, those that others run after them."""
    own = set(_FUNCTION.findall(text))
    return [command for command in _all(text) if command.words[0] not in own]


def _all(text: str) -> Iterator[Command]:
    reader = _Reader(text)
    for words, written in _Grouping(list(reader.tokens())).commands():
        yield from _unwrapped(Command(tuple(words), tuple(written)))
    for inner in reader.inner:
        yield from _all(inner)


_Simple = tuple[list[str], list[str]]
"""Words of a command, and the files it writes to."""


class _Grouping:
    """Tokens into simple commands; reserved words and patterns are left out."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._left = deque(tokens)
        self._cases = 0
        self._words: list[str] = []
        self._written: list[str] = []

    def commands(self) -> Iterator[_Simple]:
        while self._left:
            token = self._left.popleft()
            if token.operator and token.text in _REDIRECTS:
                self._redirect(token.text)
            elif not token.operator:
                self._word(token)
            elif token.text == "(" and len(self._words) == 1:
                self._words = []  # a function's name, and `()` after it
            else:
                yield from self._end()
                if token.text == ";;":
                    self._pattern()
        yield from self._end()

    def _end(self) -> Iterator[_Simple]:
        if self._words or self._written:
            yield self._words or [":"], self._written
        self._words, self._written = [], []

    def _redirect(self, operator: str) -> None:
        target = self._left.popleft().text
        if operator in (">", ">>"):
            self._written.append(target)

    def _word(self, token: _Token) -> None:
        first = not self._words
        if first and token.plain and token.text in _RESERVED:
            self._reserved(token.text)
        elif not (first and _ASSIGNED.match(token.text)):
            self._words.append(token.text)

    def _reserved(self, word: str) -> None:
        if word in ("case", "for"):
            while self._left.popleft().text != "in":
                pass
        if word == "case":
            self._cases += 1
            self._pattern()
        elif word == "for":
            while not self._left[0].operator:
                self._left.popleft()
        elif word == "esac":
            self._cases -= 1

    def _pattern(self) -> None:
        """What stands between `in` or `;;` and the parenthesis; or the end of the case."""
        while self._cases and self._left:
            token = self._left.popleft()
            if token.plain and token.text == "esac":
                self._cases -= 1
                return
            if token.operator and token.text == ")":
                return


def _unwrapped(command: Command) -> Iterator[Command]:
    """What a command runs that only runs others."""
    words = list(command.words)
    written = command.written
    while words:
        if words[0] == "timeout":
            words = words[1:]
            while words and words[0].startswith("-"):
                words = words[2:] if words[0] == "-k" else words[1:]
            words = words[1:]  # its seconds
        elif words[0] in _RUNNERS and len(words) > 1 and not words[1].startswith("-"):
            words = words[1:]
        elif words[0] == "sh" and words[1:2] == ["-c"]:
            yield from commands(words[2])
            if written:
                yield Command((":",), written)
            return
        else:
            yield Command(tuple(words), written)
            return
