"""One derivation, written down as text, Markdown, LaTeX, HTML or JSON."""
