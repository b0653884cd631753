"""Settings: from the environment and from flags, or a sentence that says what is wrong."""

from pathlib import Path

import pytest

from leadpipe_mcp.settings import Settings, SettingsError, user_cache, variable

COMMAS = "with commas between"
ALL = "topics, audiences, results, account, visitors and sonarly, or all of them with 'all'"


def test_without_anything_the_settings_are_safe() -> None:
    settings = Settings.read({}, {})
    assert settings == Settings()
    assert settings.api_key is None
    assert settings.base_url == "https://api.aws53.cloud"
    assert (settings.confirm, settings.contact, settings.sandbox) == ("auto", "allow", False)
    assert (settings.api_profile, settings.log_level) == ("auto", "INFO")
    assert not settings.log_json


def test_every_setting_has_a_variable() -> None:
    values = {
        "api_key": "sk_live_1",
        "base_url": "https://api.example/",
        "api_profile": "flat",
        "confirm": "off",
        "contact": "mask",
        "sandbox": "1",
        "sandbox_profile": "catalog",
        "sandbox_delay_ms": "250",
        "log_level": "debug",
        "log_json": "true",
    }
    assert set(values) <= set(Settings.model_fields)
    settings = Settings.read({variable(name): value for name, value in values.items()}, {})
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk_live_1"
    assert settings.model_dump(include=set(values) - {"api_key"}) == {
        "base_url": "https://api.example",
        "api_profile": "flat",
        "confirm": "off",
        "contact": "mask",
        "sandbox": True,
        "sandbox_profile": "catalog",
        "sandbox_delay_ms": 250,
        "log_level": "DEBUG",
        "log_json": True,
    }


def test_a_flag_goes_before_its_variable() -> None:
    environment = {"LEADPIPE_SANDBOX_PROFILE": "flat", "LEADPIPE_CONFIRM": "off"}
    settings = Settings.read(environment, {"sandbox_profile": "catalog", "confirm": None})
    assert (settings.sandbox_profile, settings.confirm) == ("catalog", "off")


def test_an_empty_variable_is_not_set_and_spaces_around_a_value_do_not_count() -> None:
    for empty in ("", "  ", "\n"):
        environment = {"LEADPIPE_API_KEY": empty, "LEADPIPE_CONFIRM": empty}
        assert Settings.read(environment, {}) == Settings()
    settings = Settings.read({"LEADPIPE_API_KEY": "sk_live_1\n"}, {})
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk_live_1"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BASE_URL", "http://api.example", "must start with https:// (http is only for this"),
        ("BASE_URL", "api.example", "must be an address like https://api.example.com."),
        ("BASE_URL", "ftp://api.example", "must be an address like https://api.example.com."),
        ("BASE_URL", "https://user:secret@api.example", "must be a plain address, without user"),
        ("BASE_URL", "https://api.example?key=secret", "must be a plain address, without user"),
        ("API_PROFILE", "nonsense", "must be 'auto', 'flat' or 'catalog'."),
        ("CONFIRM", "never", "must be 'auto' or 'off'."),
        ("CONTACT", "full", "must be 'allow' or 'mask'."),
        ("SANDBOX", "perhaps", "must be 1 or 0, true or false."),
        ("SANDBOX_PROFILE", "both", "must be 'mixed', 'flat' or 'catalog'."),
        ("SANDBOX_DELAY_MS", "soon", "must be a whole number."),
        ("SANDBOX_DELAY_MS", "-1", "must be greater than or equal to 0."),
        ("SANDBOX_DELAY_MS", "60001", "must be less than or equal to 60000."),
        (
            "TOOLSETS",
            "topics,result",
            f"must name toolsets {COMMAS} (did you mean results?): {ALL}.",
        ),
        ("TOOLSETS", "reports", f"must name toolsets {COMMAS}: {ALL}."),
        ("TOOLSETS", ",", f"must name toolsets {COMMAS}: {ALL}."),
        ("CACHE_DIR", "kept/here", "must be the whole path of a folder, such as /srv/leadpipe or"),
        ("EXPORT_DIR", "$HOME/lists", "must be the whole path of a folder, such as /srv/leadpipe"),
        ("CACHE_DIR", "~nobody-of-this-name/x", "begins with a home that is not known; write the"),
        ("CACHE_DIR", __file__, "leads to a file; name a folder."),
        ("EXPORT_DIR", f"{__file__}/lists", "leads to a file; name a folder."),
        ("LOG_LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'."),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_the_name_of_its_variable(
    name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({f"LEADPIPE_{name}": value}, {})
    assert str(caught.value).startswith(f"LEADPIPE_{name}: {said}")
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("key", ["sk_live_4f9d1c", "SK_LIVE_4F9D1C", "topics,sk_live_4f9d1c"])
def test_a_key_in_the_wrong_variable_is_not_repeated(key: str) -> None:
    for name in Settings.model_fields:
        try:
            said = repr(Settings.read({variable(name): key}, {}))
        except SettingsError as error:
            said = str(error)
        assert "4f9d1c" not in said.lower(), name


@pytest.mark.parametrize("name", ["LEADPIPE_CACHE_DIR", "LEADPIPE_EXPORT_DIR"])
def test_a_tilde_is_the_home_of_the_user(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = Settings.read({name: "~/leadpipe/here"}, {})
    assert tmp_path / "leadpipe/here" in {settings.cache_dir, settings.export_dir}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({"LEADPIPE_CONFIRM": "never", "LEADPIPE_CONTACT": "full"}, {})
    assert str(caught.value) == (
        "LEADPIPE_CONFIRM: must be 'auto' or 'off'. LEADPIPE_CONTACT: must be 'allow' or 'mask'."
    )


def test_http_is_for_this_machine() -> None:
    for here in ("http://127.0.0.1:8787", "http://localhost", "http://[::1]:80"):
        assert Settings.read({"LEADPIPE_BASE_URL": here}, {}).base_url == here


def test_variables_of_others_are_not_looked_at() -> None:
    assert Settings.read({"LEADPIPE_OTHER": "x", "CONFIRM": "off"}, {}) == Settings()


@pytest.mark.parametrize(
    ("platform", "environment", "place"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.cache/leadpipe-mcp"),
        ("linux", {"HOME": "/home/ann", "XDG_CACHE_HOME": "/kept"}, "/kept/leadpipe-mcp"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Caches/leadpipe-mcp"),
        ("win32", {"LOCALAPPDATA": "/data/local"}, "/data/local/leadpipe-mcp"),
        ("linux", {"HOME": "/home/ann", "XDG_CACHE_HOME": "~/kept"}, None),
        ("linux", {}, None),
    ],
)
def test_what_is_kept_goes_where_the_user_keeps_such_things(
    platform: str, environment: dict[str, str], place: str | None
) -> None:
    assert user_cache(environment, platform) == (Path(place) if place else None)
    named = Settings.read({**environment, "LEADPIPE_CACHE_DIR": "/elsewhere"}, {})
    assert named.cache_dir == Path("/elsewhere")
