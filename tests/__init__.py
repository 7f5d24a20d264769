"""Tests; a package so that those about the index can share what they ask with."""
