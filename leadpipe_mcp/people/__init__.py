"""From the service's rows about people to answers: which fields there are, and what may be shown.

It knows no MCP.
"""
