"""Figures: one function each, arrays in, a matplotlib Figure out; table.py says which are drawn where, from what."""
