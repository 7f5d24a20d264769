"""A question's text, understood: what it asks for, its clauses, its spelling, what a follow-up leaves out."""
