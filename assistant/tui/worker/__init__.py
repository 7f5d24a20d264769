"""Work beside the event loop: the engine's thread, its messages, the indexing process."""
