"""Facts of a whole site: one round trip a host, everything in parallel, everything bounded."""
