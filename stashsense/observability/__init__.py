"""What the service tells of itself while it runs: its log, and what it counts."""
