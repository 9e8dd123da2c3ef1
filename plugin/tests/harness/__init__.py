"""What Stash gives to plugins: a page for their scripts, and a start for their backend."""
