"""What is written down of a derivation, before anybody decides how it looks."""
