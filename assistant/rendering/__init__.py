"""An answer as terminal text, JSON, or lines for an editor's quickfix list."""
