"""Marking hand calculations: every entry against the exact value and against the writer's own entries."""
