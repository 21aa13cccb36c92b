"""The report in a terminal and on a page."""
