"""The project: settings, routes and what several apps share. Knows no domain."""

__version__ = "1.0.0.dev0"
