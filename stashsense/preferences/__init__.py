"""Settings that users change while the service runs: rows in the database.

What an operator decides before the start is in `stashsense.settings`.
"""
