"""Who computes: the reference engine defines the meaning of every number."""
