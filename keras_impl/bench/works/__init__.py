"""What is timed: units of work, and the engines that do them."""
