"""The route behind the links to exports, which needs a signature instead of a key."""

from leadpipe_mcp.sandbox.calls import Call, Endpoint
from leadpipe_mcp.sandbox.files import FILES_PATH
from leadpipe_mcp.sandbox.replies import Download
from leadpipe_mcp.sandbox.tables import attachment


def download(call: Call) -> Download:
    """The file, made while it is sent."""
    file = call.files.opened(call.path, call.query, call.now)
    return Download(file.table(call.settings).pieces(), attachment(file.name))


ENDPOINTS = (Endpoint("GET", f"{FILES_PATH}/{{file_id}}/{{name}}", download, "nothing"),)
