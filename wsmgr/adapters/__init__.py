"""The mechanisms behind the ports, each once; they never meet."""
