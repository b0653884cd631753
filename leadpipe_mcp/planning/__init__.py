"""Turns what a user asks for into a config that the service accepts.

It knows nothing of MCP, so it can be used from a notebook.
"""
