"""Large files over HTTP: resumable, bounded, and free to be left at any moment.

Knows no domain: what a file is for, and what its bytes are worth, is for others.
"""
