"""blackstart: if it all went off, would it all come back?

By itself, in time, at the same addresses.
"""
