"""Invariants: promises about recovery, one a file, each a pure function of the evidence."""
