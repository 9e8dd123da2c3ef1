"""A small complete world for trying out and testing: drawn people, tiny networks."""
