"""What the transcript shows: an answer as a card of blocks, and the welcome."""
