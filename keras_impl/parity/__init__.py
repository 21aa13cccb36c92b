"""scratchnet held against Keras: one call for an oracle's answer, one for the whole comparison."""
