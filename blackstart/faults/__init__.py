"""Faults: changes that can be undone. One file per family."""
