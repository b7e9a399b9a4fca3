"""For every test: no timed verdicts, the machine may be slow."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("blackstart", deadline=None)
settings.load_profile("blackstart")
