"""Probes: timed, bounded questions asked again and again while a fault runs."""
