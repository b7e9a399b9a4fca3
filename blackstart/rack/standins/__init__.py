"""Stand-ins for what cannot be had as a package: small, and held to recorded answers."""
