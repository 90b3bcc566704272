"""The quantities of a network, its loss and its update: what the engine computed, and from what."""
