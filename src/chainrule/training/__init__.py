"""Training: optimizers, schedules, batches, the one loop, stopping rules, callbacks, history."""
