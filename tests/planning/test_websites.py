"""Which addresses are those of public websites."""

import pytest

from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.websites import public_address


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("https://www.acme.example/products?x=1#top", "https://www.acme.example/products?x=1"),
        ("acme.example", "https://acme.example"),
        ("  Acme.Example./a ", "https://acme.example/a"),
        ("https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example", "https://xn--bcher-kva.example"),
        ("HTTPS://4chan.example", "https://4chan.example"),
        ("https://acme.example/@user", "https://acme.example/@user"),
    ],
)  # fmt: skip
def test_a_public_address_is_sent_plainly(given: str, sent: str) -> None:
    assert public_address(given) == sent


@pytest.mark.parametrize(
    ("why", "addresses"),
    [
        (
            "is empty, or longer than 2,048 characters",
            ["", "https://acme.example/" + "a" * 2048],
        ),
        (
            "contains a space, a backslash or an invisible character",
            [
                *("https://acme.example/a b", "https://acme.example\\@x.example"),
                *("https://ac\nme.example", "https://acme\N{ZERO WIDTH JOINER}.example"),
            ],
        ),
        ("is neither http nor https", ["ftp://acme.example"]),
        ("names a port", ["javascript:alert(1)", "https://acme.example:8443"]),
        ("contains a user name or a password", ["https://user:word@acme.example"]),
        (
            "is an IP address",
            [
                *("https://10.0.0.8/admin", "https://2130706433", "https://acme.0X7F"),
                *("https://0177.0.0.01", "https://[::ffff:127.0.0.1]:80"),
                "https://127\N{IDEOGRAPHIC FULL STOP}0\N{IDEOGRAPHIC FULL STOP}0.1",
            ],
        ),
        (
            "belongs to an internal network",
            [
                *("http://localhost", "https://a.localhost", "intranet"),
                *("https://metadata.google.internal", "https://router.home.arpa"),
            ],
        ),
        (
            "has an impossible host name",
            ["https://[::1", "https://acme..example", f"https://{'a' * 64}.example"],
        ),
        (
            "has an impossible host name, or one that must be written as xn--",
            [
                *("https://-acme.example", "https://ac%6De.example", "https:///products"),
                "https://fa\N{LATIN SMALL LETTER SHARP S}.example",
            ],
        ),
    ],
)
def test_any_other_address_is_refused_with_the_reason(why: str, addresses: list[str]) -> None:
    for address in addresses:
        with pytest.raises(NotPossible) as caught:
            public_address(address)
        assert (caught.value.problem, caught.value.advice) == (
            f"The url {why}, so nothing was sent: only public websites can be analyzed.",
            "Pass the address of the website's page, such as www.acme.example/products.",
        )
