"""Mistakes that people make, each in the file of the place where it is made; `diagnosis.py` lists them."""
