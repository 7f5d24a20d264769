"""An index in a folder: SQLite, with a FAISS file beside it."""
