"""The Stash plugin. Imports nothing of the service, and nothing but tests imports it.

Stash runs `stash_sense_backend.py` with whatever Python it finds, 3.8 or newer, so
that and `stash_sense/` use the standard library alone.
"""
