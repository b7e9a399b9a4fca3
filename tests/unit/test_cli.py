"""The command line's own end: what went wrong in one line, and its exit code."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from blackstart.cli import blackstart, main
from blackstart.cli_verify import verify
from blackstart.errors import UsageError


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (UsageError("no such thing; write another"), "no such thing; write another", 2),
        (FileNotFoundError(2, "No such file or directory", "a/b"), "a/b: No such file", 2),
        (OSError(28, "No space left on device"), "blackstart: No space left on device", 2),
    ],
)
def test_what_goes_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    said: str,
    code: int,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(blackstart, "main", fails)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(("encoding", "name"), [("ascii", "müßig"), ("utf-8", "m\udcfc")])
def test_what_a_terminal_cannot_show_is_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, name: str
) -> None:
    """``LANG=C`` without UTF-8 mode, or a file whose name is no UTF-8: no traceback, and no exit
    code 1 in place of the decision's."""
    out = io.TextIOWrapper(io.BytesIO(), encoding)

    def tells(*_: object, **__: object) -> None:
        Console().print(f"GO {name}")

    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(blackstart, "main", tells)
    main()
    out.flush()
    assert out.buffer.getvalue() == f"GO {name}\n".encode(encoding, "backslashreplace")


def test_what_is_broken_off_is_unproven_and_no_no_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ctrl_c(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "callback", ctrl_c)
    monkeypatch.setattr(sys, "argv", ["blackstart", "verify"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert capsys.readouterr().err == "blackstart: broken off (Ctrl-C)\n"
