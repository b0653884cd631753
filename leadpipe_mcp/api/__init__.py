"""The service as typed Python: one client in our vocabulary, two spellings of the API behind it.

It knows nothing of MCP; no type of the HTTP library and no raw answer of the service leaves it.
"""
