"""An answer as display blocks, and the blocks as terminal text; JSON, and lines for an editor's quickfix list."""
