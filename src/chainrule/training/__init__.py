"""Training: batches, the one loop, stopping rules, callbacks, history."""
