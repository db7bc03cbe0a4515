"""The Python workspace runtime. `main.py` has the map."""
