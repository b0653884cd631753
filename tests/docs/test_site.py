"""The look through the built site finds what it is for. `make docs` takes it."""

import pytest

from tests.docs.site import Page


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script src="https://cdn.example.com/a.js"></script>', "loads https://cdn.example.com"),
        ('<link rel="stylesheet" href="//cdn.example.com/a.css">', "loads //cdn.example.com"),
        ('<img srcset="https://cdn.example.com/a.png 2x">', "loads https://cdn.example.com"),
        ('<p style="background: url(https://cdn.example.com/a.png)">', "loads https://cdn.example"),
        ("<style>@import 'https://cdn.example.com/a.css';</style>", "loads https://cdn.example"),
        ('<pre class="mermaid">', "the class mermaid, which fetches"),
        ("<p>First:\n- one\n- two</p>", "shows as text what was meant as a list"),
        ("<p>Write <em>this</em>:\n```sh</p>", "shows as text what was meant as a list"),
        ("<p>| a | b |\n| --- | --- |</p>", "shows as text what was meant as a list"),
    ],
)
def test_what_a_browser_would_load_from_elsewhere_and_what_was_not_understood_is_found(
    text: str, found: str
) -> None:
    (wrong,) = Page(text).wrong
    assert found in wrong


@pytest.mark.parametrize(
    "text",
    [
        '<p>See <a href="https://docs.example.com">the documents</a>.</p>',
        '<link rel="canonical" href="https://docs.example.com/a.html">',
        '<script src="assets/a.js"></script><img src="data:image/png;base64,AA==">',
        "<ul><li>one</li></ul><pre>- no list\n```</pre>",
    ],
)
def test_links_in_prose_and_files_of_the_site_are_fine(text: str) -> None:
    assert Page(text).wrong == []
