"""Long work of the background in slices: rows that tell who works at what, and how far.

A slice is a task of some seconds that asks for the next one, so that other tasks get
their turn and a process may die anywhere.
"""
