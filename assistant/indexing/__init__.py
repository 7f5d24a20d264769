"""Keeps the index up to date with the notes."""
