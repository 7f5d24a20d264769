"""The turns of the conversation, and the file that keeps them for the next start."""
