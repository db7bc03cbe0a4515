"""The routes that the framework serves, one concept a file."""
