"""Validation of code before it is loaded anywhere."""
