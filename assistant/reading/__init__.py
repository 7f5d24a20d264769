"""The reader: a model that reads question and passage together and says how well the passage answers."""
