"""PyTorch and JAX, where they are installed."""
