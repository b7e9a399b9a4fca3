"""A stand-in for a k3s server: its API over TLS, its place in the cluster, its quorum.

Run in a guest with the image's Python alone, so it imports nothing but the standard library.
What it keeps of the real one is what an address change teaches: members know each other by
address and certificate, and nobody reads anything without most of them. There are no pods,
no datastore and no elections here: each server sees for itself which members answer.
"""
