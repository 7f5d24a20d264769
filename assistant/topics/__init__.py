"""Names that the notes use, and the general concepts of the vocabulary that they stand for."""
