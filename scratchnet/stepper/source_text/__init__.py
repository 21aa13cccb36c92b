"""What the shown source says of itself: statements, equations, axes."""
