"""The server that is measured, seen from outside: its process, what it takes and holds, and its webhook."""
