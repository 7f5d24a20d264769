"""Embedding models: their files, their export to ONNX, and the encoder that runs them."""
