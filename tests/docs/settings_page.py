"""The page of settings, made from the settings themselves."""

from collections.abc import Iterable
from typing import Any

from pydantic.fields import FieldInfo

from leadpipe_mcp.hosting.settings import HostingSettings
from leadpipe_mcp.settings import Settings, is_secret, variable

HEAD = """\
# Settings

Made from the code; `make docs` writes it again.

Each setting is a variable in the environment, and a flag: `LEADPIPE_SANDBOX=1` and `--sandbox` do
the same, and a flag goes before its variable. Keys and other secrets are variables only, because
others can read a command line. `leadpipe-mcp install` writes the flags that you give it into the
assistant's configuration. A value that makes no sense stops the start with a sentence that says
what to set.

## For everybody

"""
TEAM = """
## For a team

For `leadpipe-mcp serve --http` ([hosting](hosting.md)). The settings above hold as well, but for
`LEADPIPE_EXPORT_DIR`: there `LEADPIPE_DOWNLOAD_DIR` takes its place. What makes no sense together
is refused at the start, too.

"""
FOOT = """
Traces go to a collector if OpenTelemetry's own variables name one, such as
`OTEL_EXPORTER_OTLP_ENDPOINT`.
"""
KINDS = {"boolean": "`1` or `0`; the flag takes no value", "string": "text"}


def settings_page() -> str:
    """The whole page."""
    everybody, team = Settings.model_fields, HostingSettings.model_fields
    shown = HostingSettings.model_json_schema()["properties"]
    own = {name: field for name, field in team.items() if name not in everybody}
    parts = [HEAD, *_table(everybody, shown), TEAM, *_table(own, shown), FOOT]
    return "".join(parts)


def _table(fields: dict[str, FieldInfo], shown: dict[str, Any]) -> Iterable[str]:
    yield "| setting | meaning | takes | default |\n| --- | --- | --- | --- |\n"
    for name, field in fields.items():
        flag = "" if is_secret(field) else f"<br>`--{name.replace('_', '-')}`"
        default = "off" if field.default is False else field.default
        cells = [
            f"`{variable(name)}`{flag}",
            str(field.description),
            _takes(shown[name]),
            "" if default in {None, ""} else f"`{default}`" if default != "off" else default,
        ]
        yield f"| {' | '.join(cells)} |\n"


def _takes(shown: dict[str, Any]) -> str:
    """What a setting takes, from its JSON schema."""
    shown = next((one for one in shown.get("anyOf", []) if one["type"] != "null"), shown)
    if "enum" in shown:
        return ", ".join(f"`{value}`" for value in shown["enum"])
    if shown["type"] == "integer":
        most = shown.get("maximum")
        return f"{shown['minimum']} {f'to {most}' if most is not None else 'or more'}"
    forms = {"password": "a secret", "path": "a folder"}
    return forms.get(shown.get("format", ""), KINDS[shown["type"]])
