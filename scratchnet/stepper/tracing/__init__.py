"""Watching a function run: what each line read and wrote, as copies."""
