"""What is measured in a process of its own: memory, and starts from cold."""
