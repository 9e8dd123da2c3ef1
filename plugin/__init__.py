"""The plugin for Stash: what its own pages say and do with Stash Sense."""
