"""What was measured, kept, compared, tabled and drawn."""
