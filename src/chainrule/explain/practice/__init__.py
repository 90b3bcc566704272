"""Exercises: new worksheets with round numbers, and working one step by step with marks and hints."""
