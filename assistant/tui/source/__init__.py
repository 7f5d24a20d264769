"""A note as rows of the screen: its numbered lines, or rendered as people read it."""
