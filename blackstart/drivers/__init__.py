"""Drivers: the only code that touches a real system, one file per system."""
