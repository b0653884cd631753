"""The server for a team: over HTTP, for callers with keys or tokens of their own."""
