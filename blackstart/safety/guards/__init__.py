"""The guards by subject; in their order in ``blackstart.safety.guard``."""
