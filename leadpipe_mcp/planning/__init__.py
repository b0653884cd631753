"""The room that turns what a user says into a config that the service accepts.

It knows no MCP: it can be used from a notebook.
"""
