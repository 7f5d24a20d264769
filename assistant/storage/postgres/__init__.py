"""An index in a PostgreSQL database with the extension pgvector, for several writers and many readers.

Each collection, the index of one folder of notes, has a schema of its own, `assistant_<id>`; the schema `assistant`
lists them. psycopg and pgvector are imported here and nowhere else: they are an extra of the installation.
"""

import logging

from assistant.errors import Broken

try:
    import pgvector
    import psycopg
except ImportError as error:
    raise Broken(
        f"An index in PostgreSQL needs packages that are missing ({error}).",
        "Install them: pip install 'notes-assistant[team]'",
    ) from error

# It warns on stderr of what follows from an error that is raised anyhow.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

__all__ = ["pgvector", "psycopg"]
