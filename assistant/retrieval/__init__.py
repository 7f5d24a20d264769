"""From a question to ranked candidates: candidate generation, scoring, query expansion."""
