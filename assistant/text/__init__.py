"""Plain text: tokenizing, stop words, word frequency, sanitizing for terminals, excerpts, line spans."""
