"""Safety: the journal, the guard, the lease and the dead-man."""
