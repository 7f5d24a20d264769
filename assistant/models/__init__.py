"""The models that find and read: their files, how they are prepared as ONNX graphs, and what runs them."""
