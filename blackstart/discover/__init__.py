"""From what the APIs show to an inventory that a person goes on writing."""
