"""A stand-in stash-box: drawn people and their scenes over real HTTP and GraphQL."""
