"""The models that find and read: their files, how those that ship are prepared as ONNX graphs, and what runs them."""
