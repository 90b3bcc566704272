"""What is wrong with a training: what was measured, rules that read it, and their findings in words."""
