"""What Stash gives to plugins: a page for scripts, and a start for their backend."""
