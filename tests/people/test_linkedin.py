import pytest

from leadpipe_mcp.people.linkedin import profile_url

ADA = "https://www.linkedin.com/in/ada-king"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/in/ada-king",
        "http://linkedin.com/in/Ada-King/",
        "HTTPS://DE.LinkedIn.com/in/ada-king/en?trk=x",
        "m.linkedin.com/in/ada-king#about",
        "//linkedin.com/in/ada-king",
        "I am on linkedin.com/in/ada-king.",
        "linkedin.com:443//in//ada-king/",
        "https://www.linkedin.com/de-de/in/ada-king",
        "  https://www.linkedin.com/in/ada\u200b-king\n",
        "see <https://linkedin.com/in/ada-king>, or linkedin.com/in/other",
        "https://www.linkedin.com/company/acme; https://www.linkedin.com/in/ada-king",
    ],
)
def test_a_profile_has_one_spelling(url: str) -> None:
    assert profile_url(url) == ADA


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("linkedin.com/in/j%C3%BCrgen", "j%C3%BCrgen"),
        ("linkedin.com/in/JÜRGEN", "j%C3%BCrgen"),
        ("linkedin.com/in/ju\u0308rgen", "j%C3%BCrgen"),
        ("linkedin.com/in/प्रिया", "%E0%A4%AA%E0%A5%8D%E0%A4%B0%E0%A4%BF%E0%A4%AF%E0%A4%BE"),
        ("linkedin.com/in/ada🚀", "ada%F0%9F%9A%80"),
        ("linkedin.com/in/ada_king1~x", "ada_king1~x"),
        ("linkedin.com/in/ACoAABcDEfGhIjKlMnOpQrStUv-x", "ACoAABcDEfGhIjKlMnOpQrStUv-x"),
    ],
)
def test_names_of_every_alphabet_are_kept(url: str, name: str) -> None:
    assert profile_url(url) == f"https://www.linkedin.com/in/{name}"
    assert profile_url(profile_url(url)) == profile_url(url)


@pytest.mark.parametrize(
    "value",
    [
        *(None, 5, "", "ada-king", "https://www.linkedin.com/in/", "linkedin.com/company/acme"),
        *("https://linkedin.com.evil.example/in/x", "https://evil.example/linkedin.com/in/x"),
        *("https://linkedin.com@evil.example/in/x", "https://evil.example/?linkedin.com/in/x"),
        *("javascript://linkedin.com/in/x", "https://www.linkedin.com:8443/in/x"),
        *("https://www.linkedin.com/in/..", "https://www.linkedin.com/in/%2e%2e/x"),
        *("https://www.linkedin.com/in/a%2Fb", "https://www.linkedin.com/in/ada%40acme.example"),
        *("https://www.linkedin.com/in/a\\b", "https://www.linkedin.com/in/a%00b"),
        *("https://www.linkedin.com/in/a%E2%80%AEb", "https://www.linkedin.com/in/---"),
        *("https://www.linkedin.com/sales/people/ACwAA", "https://www.linkedin.com/pub/ada/1/2/3"),
        *("https://notlinkedin.com/in/x", "https://xx.yy.linkedin.com/in/x"),
        *(f"linkedin.com/in/{'x' * 101}", f"linkedin.com/in/{'é' * 101}", "linkedin.com/in/" * 9),
        "linkedin.com/" + "/" * 100_000,
    ],
)
def test_what_is_not_a_profile_is_left_out(value: object) -> None:
    assert profile_url(value) is None
