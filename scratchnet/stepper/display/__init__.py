"""A recording on a page and in a terminal."""
