"""`python -m leadpipe_mcp` is `leadpipe-mcp`."""

from leadpipe_mcp.cli import main

if __name__ == "__main__":
    main()
