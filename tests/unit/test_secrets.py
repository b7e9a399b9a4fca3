"""Secrets: resolved when needed, refused when careless, never shown."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from blackstart import redaction, secrets
from blackstart.errors import Rejected, UsageError
from blackstart.redaction import REDACTED, redact, remember
from blackstart.secrets import SecretText, resolve, resolve_path

WORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "word"
    path.touch(mode=0o600)
    path.write_text(f"{WORD}\n")
    return path


def test_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", WORD)
    assert resolve("env:WORD", None).get_secret_value() == WORD


def test_a_file_without_its_last_newline(file: Path) -> None:
    assert resolve(f"file:{file}", None).get_secret_value() == WORD


def test_a_file_below_home(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert resolve("file:~/word", None).get_secret_value() == WORD
    assert resolve_path("file:~/word", None) == file


def test_a_secret_of_the_rack(file: Path) -> None:
    assert resolve("rack:word", file.parent).get_secret_value() == WORD
    assert resolve_path("rack:word", file.parent) == file


def test_a_secret_of_several_lines_keeps_them(file: Path) -> None:
    file.write_text("-----BEGIN-----\nabcdef\n-----END-----\n")
    assert resolve(f"file:{file}", None).get_secret_value().count("\n") == 2


class TestRefusals:
    """Each names the reference, says what to do, and never shows the value."""

    def refused(self, reference: str, rack: Path | None = None) -> str:
        with pytest.raises(UsageError) as caught:
            resolve(reference, rack)
        assert WORD not in str(caught.value)
        assert caught.value.exit_code == 2
        return str(caught.value)

    def test_unset(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("WORD", raising=False)
        assert self.refused("env:WORD") == "env:WORD is not set; export WORD before you start"

    @pytest.mark.parametrize("content", ["", "\n", "  \n"])
    def test_empty(self, content: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORD", content)
        assert self.refused("env:WORD") == "env:WORD is empty; put the secret there"
        file.write_text(content)
        assert self.refused(f"file:{file}").endswith("is empty; put the secret there")

    def test_missing(self, file: Path) -> None:
        file.unlink()
        assert "No such file or directory" in self.refused(f"file:{file}")

    def test_directory(self, file: Path) -> None:
        assert "is no regular file" in self.refused(f"file:{file.parent}")
        assert "is no regular file" in self.refused("rack:..", file.parent)

    @pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o777])
    def test_open_to_everybody(self, mode: int, file: Path) -> None:
        file.chmod(mode)
        said = self.refused(f"file:{file}")
        assert f"is open to every user (mode {mode:04o}); chmod o= {file}" in said
        with pytest.raises(UsageError, match="open to every user"):
            resolve_path(f"file:{file}", None)

    def test_too_short_to_be_taken_out_of_a_text(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORD", "abc")
        assert "is shorter than 4 characters" in self.refused("env:WORD")

    def test_no_text(self, file: Path) -> None:
        file.write_bytes(b"\xff\xfe")
        assert "is no UTF-8 text" in self.refused(f"file:{file}")

    def test_too_large(self, file: Path) -> None:
        file.write_text("x" * (secrets.MAX_BYTES + 1))
        assert "is larger than" in self.refused(f"file:{file}")

    def test_no_rack(self) -> None:
        assert "needs the rack, which is not up" in self.refused("rack:word")

    @pytest.mark.parametrize("text", [WORD, f"vault:{WORD}", "env:", ""])
    def test_no_reference(self, text: str) -> None:
        assert self.refused(text).startswith("this is no reference; write env:NAME")

    def test_a_variable_is_no_file(self) -> None:
        with pytest.raises(UsageError, match="is no file, and a file is needed"):
            resolve_path("env:WORD", None)


def test_what_anybody_may_read_may_be_readable(file: Path) -> None:
    """A CA certificate, host keys: neither refused nor redacted."""
    file.chmod(0o644)
    assert resolve(f"file:{file}", None, private=False).get_secret_value() == WORD
    assert resolve_path(f"file:{file}", None, private=False) == file
    assert redact(WORD) == WORD


class Login(BaseModel):
    """Something that holds a secret."""

    word: SecretText


SHOWN: dict[str, Callable[[SecretText], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda secret: f"{secret:>30}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - logging does so
    "in a list": lambda secret: str([secret]),
    "JSON with default": lambda secret: json.dumps({"word": secret}, default=str),
    "model": lambda secret: repr(Login(word=secret)),
    "model as JSON": lambda secret: Login(word=secret).model_dump_json(),
}


@pytest.mark.parametrize("way", SHOWN)
def test_a_secret_never_shows_itself(way: str) -> None:
    assert WORD not in SHOWN[way](SecretText(WORD))


def test_a_secret_does_not_travel() -> None:
    with pytest.raises(TypeError):
        json.dumps(SecretText(WORD))
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(SecretText(WORD))
    with pytest.raises(TypeError, match="not pickled"):
        copy.deepcopy(SecretText(WORD))


def test_what_was_resolved_is_redacted(file: Path) -> None:
    assert redact(f"password={WORD}") == f"password={WORD}"
    resolve(f"file:{file}", None)
    assert redact(f"password={WORD}, again {WORD}") == f"password={REDACTED}, again {REDACTED}"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("pa/ss wörd", "https://u:pa%2Fss%20w%C3%B6rd@host"),
        ('pass"word', json.dumps({"a": 'pass"word'})),
        ("ops@pve!drill=1111-2222-3333", "PVEAPIToken=... 1111-2222-3333"),
        ("BEGIN KEY\nabcdefgh\nEND KEY", "line abcdefgh of it"),
    ],
    ids=["in a URL", "in JSON", "the token's own part", "one line of a key"],
)
def test_it_is_redacted_as_it_travels_too(secret: str, text: str) -> None:
    remember(secret)
    assert REDACTED in redact(text)
    for part in ("pa%2F", 'pass\\"', "3333", "abcdefgh"):
        assert part not in redact(text)


def test_the_longer_secret_goes_first() -> None:
    remember("abcd")
    remember("abcdefgh")
    assert redact("x abcdefgh y") == f"x {REDACTED} y"


def test_one_letter_is_not_taken_out_of_every_word() -> None:
    """Of a MAAS key ``a:b:c`` each part is handed on alone."""
    remember("b")
    assert redact("the cable broke") == "the cable broke"


def test_an_error_does_not_repeat_what_a_server_repeated() -> None:
    """A proxy's debug page holds the request, its login included."""
    error = Rejected(f"500 Authorization: Bearer {WORD}")
    remember(WORD)
    assert str(error) == f"500 Authorization: Bearer {REDACTED}"
    assert WORD not in repr(error)
