"""What runs inside a plugin's process."""
