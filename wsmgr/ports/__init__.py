"""What `control` needs of the world, as Protocols. Their docstrings are contracts that tests/contract holds."""
