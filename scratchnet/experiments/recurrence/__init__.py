"""One LSTM unit and one GRU unit worked by hand: every number, forward and backward."""
