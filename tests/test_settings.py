"""Settings: from the environment and from flags, or a sentence that says what is wrong."""

from pathlib import Path

import pytest

from leadpipe_mcp.settings import Settings, SettingsError, user_cache, variable

TOOLSETS = "must name toolsets with commas between"
ALL = "topics, audiences, results, account, visitors and sonarly, or all of them with 'all'"


def test_without_anything_the_settings_are_safe() -> None:
    settings = Settings.read({}, {})
    assert settings == Settings()
    assert settings.api_key is None
    assert settings.base_url == "https://api.aws53.cloud"
    assert (settings.confirm, settings.contact, settings.sandbox) == ("auto", "allow", False)
    assert (settings.api_profile, settings.log_level) == ("auto", "INFO")
    assert not settings.log_json


def test_settings_are_read_from_their_variables() -> None:
    values = {"BASE_URL": "https://api.example/", "CONFIRM": "off", "SANDBOX": "1"}
    values |= {"SANDBOX_DELAY_MS": "250", "LOG_LEVEL": "debug", "LOG_JSON": "true"}
    values |= {"API_KEY": " sk_live_1\n", "CONTACT": "  ", "OTHER": "x"}
    settings = Settings.read({f"LEADPIPE_{name}": text for name, text in values.items()}, {})
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "sk_live_1"
    assert settings.model_dump(exclude_unset=True, exclude={"api_key"}) == {
        "base_url": "https://api.example",
        "confirm": "off",
        "sandbox": True,
        "sandbox_delay_ms": 250,
        "log_level": "DEBUG",
        "log_json": True,
    }


def test_a_flag_goes_before_its_variable() -> None:
    environment = {"LEADPIPE_SANDBOX_PROFILE": "flat", "LEADPIPE_CONFIRM": "off"}
    settings = Settings.read(environment, {"sandbox_profile": "catalog", "confirm": None})
    assert (settings.sandbox_profile, settings.confirm) == ("catalog", "off")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BASE_URL", "http://api.example", "must start with https:// (http is only for this"),
        ("BASE_URL", "api.example", "must be an address like https://api.example.com."),
        ("BASE_URL", "ftp://api.example", "must be an address like https://api.example.com."),
        ("BASE_URL", "https://user:secret@api.example", "must be a plain address, without user"),
        ("BASE_URL", "https://api.example?key=secret", "must be a plain address, without user"),
        ("CONFIRM", "never", "must be 'auto' or 'off'."),
        ("SANDBOX", "perhaps", "must be 1 or 0, true or false."),
        ("SANDBOX_DELAY_MS", "soon", "must be a whole number."),
        ("SANDBOX_DELAY_MS", "-1", "must be greater than or equal to 0."),
        ("SANDBOX_DELAY_MS", "60001", "must be less than or equal to 60000."),
        ("TOOLSETS", "topics,result", f"{TOOLSETS} (did you mean results?): {ALL}."),
        *(("TOOLSETS", odd, f"{TOOLSETS}: {ALL}.") for odd in ("reports", ",")),
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


def test_only_the_word_itself_turns_the_questions_off() -> None:
    for odd in ("OFF", "0", "false", "no", "none", "disabled", "auto,off", "'off'", "off;", "of"):
        with pytest.raises(SettingsError, match="LEADPIPE_CONFIRM: must be 'auto' or 'off'"):
            Settings.read({"LEADPIPE_CONFIRM": odd}, {})
    assert Settings.read({"LEADPIPE_CONFIRM": " off "}, {}).confirm == "off"
    assert Settings.read({"LEADPIPE_CONFIRM": "off"}, {"confirm": "auto"}).confirm == "auto"


@pytest.mark.parametrize("empty", ["", "  ", "${user_config.some_field}"])
def test_a_field_of_a_form_that_was_left_empty_sets_nothing(empty: str) -> None:
    environment = {variable(name): empty for name in Settings.model_fields}
    settings = Settings.read(environment, {})
    assert settings == Settings()
    assert "sonarly" not in settings.chosen_toolsets()


def test_a_field_that_names_another_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(SettingsError, match="must be the whole path of a folder"):
        Settings.read({"LEADPIPE_EXPORT_DIR": "${user_config.folder}/lists"}, {})


@pytest.mark.parametrize("key", ["sk_live_4f9d1c", "SK_LIVE_4F9D1C", "topics,sk_live_4f9d1c"])
def test_a_key_in_the_wrong_variable_is_not_repeated(key: str) -> None:
    for name in Settings.model_fields:
        try:
            said = repr(Settings.read({variable(name): key}, {}))
        except SettingsError as error:
            said = str(error)
        assert "4f9d1c" not in said.lower(), name


def test_a_tilde_is_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    settings = Settings.read({"LEADPIPE_CACHE_DIR": "~/leadpipe/here"}, {})
    assert settings.cache_dir == tmp_path / "leadpipe/here"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({"LEADPIPE_CONFIRM": "never", "LEADPIPE_CONTACT": "full"}, {})
    assert str(caught.value) == (
        "LEADPIPE_CONFIRM: must be 'auto' or 'off'. LEADPIPE_CONTACT: must be 'allow' or 'mask'."
    )


def test_http_is_for_this_machine() -> None:
    for here in ("http://127.0.0.1:8787", "http://localhost", "http://[::1]:80"):
        assert Settings.read({"LEADPIPE_BASE_URL": here}, {}).base_url == here


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
