"""How two nodes come to the same versions, and tell each other their figures.

The connecting side says what it has (a digest; versions if that differs), then
sends what the other lacks and asks for what it lacks itself. Both sides do
this, so either direction alone is enough.
"""

from __future__ import annotations

from typing import Any

from ..broadcast import Broadcast
from .entries import Entry, Stamp, entry_from_json
from .frames import Channel, Message, ProtocolError
from .registry import Vector
from .replica import Replica


class Exchange:
    """One node's part in every exchange."""

    def __init__(self, replica: Replica, broadcast: Broadcast) -> None:
        self._replica = replica
        self._broadcast = broadcast

    async def ask(self, channel: Channel, told: dict[str, float]) -> None:
        """The connecting side: one whole exchange. ``told`` remembers which figures went."""
        registry = self._replica.registry
        await channel.send({"digest": registry.digest(), "figures": self._news(told)})
        answer = await channel.receive()
        if answer.get("equal"):
            registry.confirm(registry.vector())
            return
        theirs = _vector_from_json(answer["vector"])
        ours = registry.vector()
        wanted = [path for path, stamp in theirs.items() if stamp > ours.get(path, Stamp(0, 0))]
        offered = registry.newer_than(theirs)
        await channel.send({"entries": _entries_to_json(offered), "wanted": wanted})
        answer = await channel.receive()
        self._replica.receive(map(entry_from_json, answer["entries"]))
        registry.confirm(_vector_from_json(answer["vector"]))

    async def answer(self, channel: Channel, peer: str, question: Message) -> None:
        """The listening side: the answer to one question."""
        for key, value in question["figures"].items():
            self._broadcast.receive(peer, _plain(key), value)
        registry = self._replica.registry
        if question["digest"] == registry.digest():
            registry.confirm(registry.vector())
            await channel.send({"equal": True})
            return
        await channel.send({"equal": False, "vector": _vector_to_json(registry.vector())})
        request = await channel.receive()
        self._replica.receive(map(entry_from_json, request["entries"]))
        wanted = set(request["wanted"])
        entries = [entry for entry in registry.newer_than({}) if entry.path in wanted]
        await channel.send(
            {
                "entries": _entries_to_json(entries),
                "vector": _vector_to_json(registry.vector()),
            }
        )

    def _news(self, told: dict[str, float]) -> dict[str, Any]:
        news = {}
        for key, (at, value) in self._broadcast.own().items():
            if told.get(key) != at:
                told[key] = at
                news[key] = value
        return news


def _plain(key: str) -> str:
    if not key.isalnum():
        raise ProtocolError(f"no name of a figure: {key!r}")
    return key


def _entries_to_json(entries: list[Entry]) -> list[Message]:
    return [entry.to_json() for entry in entries]


def _vector_to_json(vector: Vector) -> dict[str, list[int]]:
    return {path: [stamp.version, stamp.writer] for path, stamp in vector.items()}


def _vector_from_json(vector: dict[str, list[int]]) -> Vector:
    return {path: Stamp(version, writer) for path, (version, writer) in vector.items()}
