"""Settings: what the person who starts the server decided, read once and never changed."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from leadpipe_mcp.api.service import Pin
from leadpipe_mcp.api.transport import checked_base_url

SANDBOX_KEY = "sk_sandbox"
SANDBOX_URL = "http://127.0.0.1"

SandboxProfile = Literal["mixed", "flat", "catalog"]


class SettingsError(ValueError):
    """A setting makes no sense; the message names its variable and never its value if secret."""


def _key(value: SecretStr) -> SecretStr:
    key = value.get_secret_value()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("holds characters that no key has; copy the key again")
    return value


class Settings(BaseModel):
    """Everything that can be decided at the start, under the names of the variables."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="forbid")

    api_key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        default=None, description="The organization's API key (sk_...); only as a variable."
    )
    base_url: Annotated[str, AfterValidator(checked_base_url)] = Field(
        default="https://api.aws53.cloud", description="Where the service is."
    )
    api_profile: Pin = Field(
        default="auto", description="Which generation of the API it is: auto, flat or catalog."
    )
    confirm: Literal["auto", "off"] = Field(
        default="auto", description="Ask before spending or deleting: auto; off is for automation."
    )
    contact: Literal["allow", "mask"] = Field(
        default="allow", description="Whole e-mail and phone on request: allow; never: mask."
    )
    sandbox: bool = Field(default=False, description="Invented people, no key, no network.")
    sandbox_profile: SandboxProfile = Field(
        default="mixed", description="What the sandbox plays: mixed, flat or catalog."
    )
    sandbox_delay_ms: int = Field(
        default=0, ge=0, le=60_000, description="How long each of the sandbox's answers takes."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", description="What goes to stderr: DEBUG, INFO, WARNING or ERROR."
    )

    @classmethod
    def read(cls, environment: Mapping[str, str], flags: Mapping[str, object]) -> "Settings":
        """The settings of LEADPIPE_* variables; a flag that is given goes before its variable.

        Raises:
            SettingsError: Naming the variable that makes no sense, and what would.
        """
        values: dict[str, object] = {}
        for name in cls.model_fields:
            text = environment.get(variable(name), "").strip()
            if text:
                values[name] = text
        values |= {name: value for name, value in flags.items() if value is not None}
        if isinstance(values.get("log_level"), str):
            values["log_level"] = str(values["log_level"]).upper()
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_sentences(error)) from None


_MESSAGES = {
    "bool_parsing": "must be 1 or 0, true or false",
    "int_parsing": "must be a whole number",
}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"LEADPIPE_{name.upper()}"


def _sentences(error: ValidationError) -> str:
    sentences: list[str] = []
    for problem in error.errors(include_input=False, include_url=False):
        said = problem["msg"].removeprefix("Value error, ")
        message = _MESSAGES.get(problem["type"], said.replace("Input should be", "must be"))
        sentences.append(f"{variable(str(problem['loc'][0]))}: {message[:1].lower()}{message[1:]}.")
    return " ".join(sentences)
