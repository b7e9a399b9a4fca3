"""The rack: a small cluster of real virtual machines, built on the owner's own machine."""
