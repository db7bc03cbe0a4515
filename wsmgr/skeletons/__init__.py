"""What `wsmgr plugin new` begins a plugin with, and the declarations for its author's editor."""
