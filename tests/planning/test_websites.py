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
    ("given", "why"),
    [
        ("", "is empty"),
        ("https://acme.example/" + "a" * 2048, "longer than 2,048"),
        ("https://acme.example/a b", "a space"),
        ("https://acme.example\\@other.example", "a backslash"),
        ("https://ac\nme.example", "invisible"),
        ("https://acme\N{ZERO WIDTH JOINER}.example", "invisible"),
        ("ftp://acme.example", "neither http nor https"),
        ("javascript:alert(1)", "names a port"),
        ("https://user:word@acme.example", "user name or a password"),
        ("https://acme.example:8443", "names a port"),
        ("https://10.0.0.8/admin", "IP address"),
        ("https://2130706433", "IP address"),
        ("https://acme.0X7F", "IP address"),
        ("https://0177.0.0.01", "IP address"),
        ("https://127\N{IDEOGRAPHIC FULL STOP}0\N{IDEOGRAPHIC FULL STOP}0.1", "IP address"),
        ("https://[::ffff:127.0.0.1]:80", "IP address"),
        ("https://[::1", "impossible host name"),
        ("http://localhost", "internal network"),
        ("https://a.localhost", "internal network"),
        ("https://metadata.google.internal", "internal network"),
        ("https://router.home.arpa", "internal network"),
        ("intranet", "internal network"),
        ("https://acme..example", "impossible host name"),
        ("https://-acme.example", "impossible host name"),
        ("https://ac%6De.example", "impossible host name"),
        ("https://" + "a" * 64 + ".example", "impossible host name"),
        ("https://fa\N{LATIN SMALL LETTER SHARP S}.example", "xn--"),
    ],
)
def test_any_other_address_is_refused_with_the_reason(given: str, why: str) -> None:
    with pytest.raises(NotPossible, match=why) as caught:
        public_address(given)
    assert "nothing was sent" in str(caught.value)
    assert "word" not in caught.value.problem.replace("password", "")
