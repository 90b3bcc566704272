"""Worksheets: somebody's hand calculation in a TOML file, read with the line of every mistake, written, marked."""
