"""The small real cases that ``scratchnet step NAME`` runs."""
