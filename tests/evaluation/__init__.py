"""How good answers are: question sets, a scorer for them, and the committed figures; `scripts/score` runs it."""
