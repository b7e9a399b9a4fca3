"""The vendor's commands for people, as far as they are needed here."""
