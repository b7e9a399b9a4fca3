"""The boot graph: built from inventory and facts, and what follows from it. Pure functions."""
