"""Files that are made from the code, and held to it.

UPDATE_SNAPSHOTS=1 writes them again; the difference shows what people and their models will read.
"""

import os
from pathlib import Path


def held_to(path: Path, text: str) -> None:
    """Assert that a file holds this text; or write it."""
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
