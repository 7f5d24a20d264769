"""The machine around the program: settings, streams, file permissions, the editor, process tuning."""
