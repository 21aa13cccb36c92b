"""Everything that can be checked: our layers, losses and models, your classes and functions."""
