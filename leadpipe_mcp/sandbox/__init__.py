"""A simulator of the Leadpipe API, for demos, tests and first use.

It is written from the documents alone and shares nothing with the rooms that speak to the API.
Nobody in it is real, and no request leaves the machine.
"""

from leadpipe_mcp.sandbox.app import Recorded, Sandbox
from leadpipe_mcp.sandbox.faults import Fault, Faults
from leadpipe_mcp.sandbox.serve import serve
from leadpipe_mcp.sandbox.settings import SandboxSettings

__all__ = ["Fault", "Faults", "Recorded", "Sandbox", "SandboxSettings", "serve"]
