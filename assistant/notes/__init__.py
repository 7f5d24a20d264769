"""A folder of Markdown files, read as sections, passages and code blocks."""
