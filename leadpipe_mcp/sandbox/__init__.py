"""Simulators of the Leadpipe API and of Sonarly's, for demos, tests and first use.

They are written from the documents alone and share nothing with the rooms that speak to the APIs.
Nobody in them is real, and no request leaves the machine.
"""

from leadpipe_mcp.sandbox.app import Sandbox
from leadpipe_mcp.sandbox.serve import serve
from leadpipe_mcp.sandbox.settings import SandboxSettings
from leadpipe_mcp.sandbox.sonarly import SonarlySandbox, SonarlySettings

__all__ = ["Sandbox", "SandboxSettings", "SonarlySandbox", "SonarlySettings", "serve"]
