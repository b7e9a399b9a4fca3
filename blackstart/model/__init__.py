"""The nouns: pure data and pure functions. Imports nothing of ours outside, does no I/O."""
