"""Every requirement has an id, a sentence, and a test that fails where it is broken.

They stand in requirements.toml. A test is named there, as on the pages about security and
reliability, and not the other way round: so each rule can be read beside what holds it, and no
test carries a word that only another file explains. A test that is renamed fails here by its name.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.owners import marks, why_not

MANIFEST = (Path(__file__).parent / "requirements.toml").read_text("utf-8")
FINE = "test_docs.py::test_the_readme_names_every_client"
SLOW = "hosting/test_run.py::test_calls_at_work_are_answered_before_the_server_ends"
ALSO = "test_docs.py::test_the_architecture_names_every_module"


def problems(manifest: str) -> Iterator[str]:
    """What is wrong with a list of requirements."""
    try:
        groups: dict[str, dict[str, str | list[str]]] = tomllib.loads(manifest)
    except tomllib.TOMLDecodeError as error:
        yield str(error)
        return
    yield from (f"{name}: no source is named" for name in groups if "source" not in groups[name])
    rules = [pair for group in groups.values() for pair in group.items() if pair[0] != "source"]
    for what in ([rule_id for rule_id, _ in rules], [rule[0] for _, rule in rules]):
        yield from (f"{one}: stands twice" for one, times in Counter(what).items() if times > 1)
    for rule_id, (sentence, *owners) in rules:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule_id):
            yield f"{rule_id}: is not an id like confirm-once"
        if not sentence.endswith("."):
            yield f"{rule_id}: does not begin with a sentence"
        if len(set(owners)) < len(owners):
            yield f"{rule_id}: a test is named twice"
        unfit = {name: why for name in owners if (why := why_not(name))}
        yield from (f"{rule_id}: {name}: {why}" for name, why in unfit.items())
        fit = [name.partition("::") for name in owners if name not in unfit]
        if not any("machines" not in marks(file)[test] for file, _, test in fit):
            yield f"{rule_id}: no test of `make test` holds it"


def test_every_requirement_is_held_by_a_test() -> None:
    assert list(problems(MANIFEST)) == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ('a-b = ["A rule."]', "a-b: no test of `make test` holds it"),
        (f'a-b = ["A rule.", "{FINE}s"]', f"a-b: {FINE}s: the file has no such test"),
        ('a-b = ["A rule.", "test_x.py::test_y"]', "a-b: test_x.py::test_y: there is no such file"),
        (f'a-b = ["A rule.", "{FINE}", "{FINE}"]', "a-b: a test is named twice"),
        (f'A = ["A rule.", "{FINE}"]', "A: is not an id like confirm-once"),
        (f'a-b = ["{FINE}"]', "a-b: does not begin with a sentence"),
        (
            f'a-b = ["A rule.", "{SLOW}"]',
            "a-b: no test of `make test` holds it",
        ),
        (f'a-b = ["A rule.", "{FINE}"]\na-b = ["B.", "{ALSO}"]', "Cannot overwrite a value"),
        (f'a-b = ["A rule.", "{FINE}"]\nb-c = ["A rule.", "{ALSO}"]', "A rule.: stands twice"),
        (
            f'a-b = ["A rule.", "{FINE}"]\n[two]\nsource = "x"\na-b = ["B rule.", "{FINE}"]',
            "a-b: stands twice",
        ),
        (f'a-b = ["A rule.", "{FINE}"]\n[two]', "two: no source is named"),
    ],
)
def test_what_is_wrong_with_a_list_of_requirements_is_found(manifest: str, said: str) -> None:
    found = list(problems(f'[one]\nsource = "x"\n{manifest}'))
    assert [problem for problem in found if said in problem], found


def test_a_list_in_which_nothing_is_wrong_is_called_so() -> None:
    manifest = f'[one]\nsource = "x"\na-b = ["A rule.", "{FINE}", "{ALSO}"]'
    assert list(problems(manifest)) == []
