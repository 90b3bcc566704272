"""What all derivations are made of: quantities by name, how each is computed, with what doubt, and by which paths."""
