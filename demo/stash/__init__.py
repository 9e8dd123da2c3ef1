"""A Stash to stand in for the real one: a drawn library behind HTTP and GraphQL."""
