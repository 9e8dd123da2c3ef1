"""The arithmetic of recognition: arrays and plain values in, the same out.

Nothing here reads a file, a clock, a setting or a device, and nothing logs, so every
rule can be held against recorded numbers.
"""
