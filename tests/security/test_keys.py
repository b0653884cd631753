"""Keys: read from the environment, held as secrets, refused without being said."""

import pytest
from pydantic import ValidationError

from leadpipe_mcp import cli
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.server import build_server
from leadpipe_mcp.settings import Settings, SettingsError

CANARY = "canary_0123456789"
BAD_KEYS = [
    *(f"sk_{CANARY}\nX-Evil: 1", f"sk_{CANARY} x", f"sk_{CANARY}é", f"sk\t_{CANARY}"),
    *(f"sk_{CANARY}\u200b", f"\x7fsk_{CANARY}", f"\x00{CANARY}", f"sk_{CANARY}\ud800"),
]
KEYS = {"LEADPIPE_API_KEY": "api_key", "SONARLY_API_KEY": "sonarly_api_key"}


@pytest.mark.parametrize("name", KEYS)
def test_what_is_no_key_is_refused_by_the_name_of_its_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f"{name}: holds characters that no key has; copy the key again."
    for key in BAD_KEYS:
        with pytest.raises(SettingsError) as caught:
            Settings.read({name: key}, {})
        error = caught.value
        assert str(error) == said
        assert (error.__cause__, error.__suppress_context__) == (None, True)
        assert CANARY not in f"{error!r} {error.args!r} {error.__dict__!r}"
        # Nor is it in what the settings themselves raise.
        with pytest.raises(ValidationError) as raised:
            Settings.model_validate({KEYS[name]: key})
        assert CANARY not in str(raised.value)
    monkeypatch.setenv(name, f"sk_{CANARY} x")
    with pytest.raises(SystemExit, match=f"leadpipe-mcp: {said}"):
        cli.main([])


def test_nothing_that_holds_a_key_shows_it() -> None:
    settings = Settings.read(dict.fromkeys(KEYS, f"sk_{CANARY}"), {})
    transport = Transport("https://service.test", settings.api_key)
    shown = [settings, settings.model_dump(), settings.model_dump_json(), settings.model_copy()]
    held = [transport.__dict__, build_server(settings), settings.model_dump(mode="json")]
    for thing in [*shown, *held]:
        assert CANARY not in f"{thing!r} {thing!s}"
