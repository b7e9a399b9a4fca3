"""Stand-ins held against recorded answers and schemas of the real systems."""
