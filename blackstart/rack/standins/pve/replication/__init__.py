"""Stand-in for the vendor's cluster file system (pmxcfs).

The real one is a FUSE file system on a database that corosync replicates. Here
``/etc/pve`` is a directory bound to that path; every change to it is noted in a
database, carried to the other nodes, and the highest version wins. Without
quorum of the real corosync it is read-only.
"""
