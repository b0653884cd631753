"""leadpipe-mcp: build marketing audiences by talking to an AI assistant."""

__version__ = "0.1.0"
