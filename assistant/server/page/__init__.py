"""The web page: asking, cited answers and the notes, rendered here and shown by any browser."""
