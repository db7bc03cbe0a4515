"""The schemas of the HTTP API (DESIGN section 4): camelCase JSON, one concept a file. Imports nothing of wsmgr."""
