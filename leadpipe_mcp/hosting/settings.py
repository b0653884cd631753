"""What the person who runs the server for a team decided."""

import tempfile
from importlib.util import find_spec
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from leadpipe_mcp.api.addresses import checked_base_url, is_this_machine
from leadpipe_mcp.people.files import why_not
from leadpipe_mcp.settings import Address, Exports, Folder, Settings, SettingsError

LEAST_SECRET = 32
EXTRAS: Final = {
    "redis": "redis",
    "metrics": "prometheus_client",
    "otel": "opentelemetry.sdk",
}
"""What each extra of the package brings."""


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < LEAST_SECRET:
        raise ValueError(
            f"must have {LEAST_SECRET} characters or more; make one with: openssl rand -hex 32"
        )
    return value


def _redis(value: SecretStr) -> SecretStr:
    if urlsplit(value.get_secret_value()).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _origins(value: str) -> str:
    pages = [page.strip() for page in value.split(",") if page.strip()]
    for page in pages:
        parts = urlsplit(page)
        if page != f"{parts.scheme}://{parts.netloc}" or not parts.netloc:
            raise ValueError("must name pages such as https://app.example.com, without a path")
    return ",".join(pages)


def _issuer(value: str) -> str:
    # Tokens name their issuer letter for letter, so a slash at the end stays.
    return checked_base_url(value) + "/" * value.endswith("/")


class HostingSettings(Settings):
    """The settings of a server for a team; those of a user of one machine hold as well."""

    host: str = Field(default="127.0.0.1", description="Where to listen.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(default=8787, description="On which port.")
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="How many processes; about one a core."
    )
    public_url: Address | None = Field(
        default=None, description="The address that callers use, such as https://mcp.example.com."
    )
    allowed_origins: Annotated[str, AfterValidator(_origins)] = Field(
        default="",
        description="Web pages that may call, such as https://app.example.com, with commas"
        " between.",
    )
    secret: Annotated[SecretStr, AfterValidator(_secret)] | None = Field(
        default=None,
        description=f"Seals questions to the human: {LEAST_SECRET} characters or more, the same"
        " for all processes. Without it each start makes one up.",
    )
    redis_url: Annotated[SecretStr, AfterValidator(_redis)] | None = Field(
        default=None,
        description="Where Redis is, for what several processes share: redis://, rediss:// or"
        " unix://.",
    )
    oauth_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None,
        description="Admit callers by tokens of this issuer; LEADPIPE_API_KEY serves them all.",
    )
    oauth_audience: str | None = Field(
        default=None, description="Whom the tokens are for. Without it: the public URL and /mcp."
    )
    oauth_jwks_url: Address | None = Field(
        default=None,
        description="Where the issuer's public keys are. Without it: /.well-known/jwks.json at the"
        " issuer.",
    )
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=120, description="How many requests a caller may make in a minute."
    )
    calls_at_once: Annotated[int, Field(ge=1)] = Field(
        default=8, description="How many of a caller's calls are answered at once."
    )
    body_bytes: Annotated[int, Field(ge=1_000)] = Field(
        default=1_000_000, description="The largest request, in bytes."
    )
    reply_bytes: Annotated[int, Field(ge=10_000)] = Field(
        default=200_000, description="The largest answer of a tool, in bytes."
    )
    download_dir: Folder | None = Field(
        default=None,
        description="A folder by its whole path, where exported files go for an hour; callers fetch"
        " them by links.",
    )
    metrics: bool = Field(default=False, description="Counts for Prometheus under /metrics.")

    @property
    def address(self) -> str:
        """Where callers find the server."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def exports(self) -> Exports:
        """What people are exported as, for callers who have no disk here.

        Links to files of ours, if there is a folder for those; or the service's own, in which
        nothing is masked.
        """
        if self.download_dir:
            return "links"
        return "urls" if self.contact == "allow" else "nothing"

    @property
    def largest_reply(self) -> int:
        """How many bytes a tool may answer with."""
        return self.reply_bytes

    def hosts(self) -> list[str]:
        """The names under which the server may be asked."""
        named = [urlsplit(self.public_url).netloc] if self.public_url else []
        local = ["127.0.0.1", "localhost", "[::1]"]
        return [*named, *local, *(f"{name}:*" for name in local)]

    def origins(self) -> list[str]:
        """The pages that may call."""
        named = [one for one in self.allowed_origins.split(",") if one]
        if self.public_url:
            named.append("{0.scheme}://{0.netloc}".format(urlsplit(self.public_url)))
        local = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        return [*named, *local, *(f"{name}:*" for name in local)]

    def check(self) -> None:
        """Refuse what would let strangers in, or could not work.

        Raises:
            SettingsError: Saying what to set.
        """
        team, own = self.oauth_issuer, "with --http callers bring their own keys"
        rules = (
            (
                not is_this_machine(self.host) and not self.public_url,
                (
                    "LEADPIPE_PUBLIC_URL: must be set where other machines can reach the"
                    " server, to the address that callers use, such as https://mcp.example.com."
                ),
            ),
            (
                team and not (self.api_key or self.sandbox),
                (
                    "LEADPIPE_API_KEY: must be set with LEADPIPE_OAUTH_ISSUER: it is the key"
                    " with which all callers are served."
                ),
            ),
            (
                self.api_key and not team,
                (
                    f"LEADPIPE_API_KEY: {own}, so unset it; or set LEADPIPE_OAUTH_ISSUER as"
                    " well, and your team is served with this one."
                ),
            ),
            (
                # Whoever made up a key for Leadpipe would be served with it.
                self.sonarly_api_key and not team,
                (
                    f"SONARLY_API_KEY: {own} (X-Sonarly-Key), so unset it; LEADPIPE_TOOLSETS"
                    " turns sonarly on without it."
                ),
            ),
            (
                (self.oauth_audience or self.oauth_jwks_url) and not team,
                ("LEADPIPE_OAUTH_ISSUER: must be set for callers to be admitted by tokens."),
            ),
            (
                self.export_dir,
                (
                    "LEADPIPE_EXPORT_DIR: with --http nobody could get at files there, so unset"
                    " it; set LEADPIPE_DOWNLOAD_DIR, and callers fetch their files by links."
                ),
            ),
            (
                self.redis_url and not self.secret,
                (
                    "LEADPIPE_SECRET: must be set with LEADPIPE_REDIS_URL, the same for every"
                    " process; make one with: openssl rand -hex 32."
                ),
            ),
            (
                self.sandbox and self.workers > 1,
                (
                    "LEADPIPE_WORKERS: must be 1 with LEADPIPE_SANDBOX, because each process"
                    " would have a sandbox of its own; for several, run leadpipe-mcp sandbox and"
                    " set LEADPIPE_BASE_URL to it."
                ),
            ),
        )
        if wrong := [said for holds, said in rules if holds]:
            raise SettingsError(" ".join(wrong))
        if self.download_dir:
            try:
                self.download_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
                tempfile.TemporaryFile(dir=self.download_dir).close()
            except OSError as error:
                said = f"LEADPIPE_DOWNLOAD_DIR: cannot be used: {why_not(error)}."
                raise SettingsError(said) from None
        if self.redis_url:
            need("redis", "LEADPIPE_REDIS_URL")
        if self.metrics:
            need("metrics", "LEADPIPE_METRICS")


def need(extra: str, variable: str) -> None:
    """Refuse to start without what a setting needs.

    Raises:
        SettingsError: Saying how to install it.
    """
    if find_spec(EXTRAS[extra]) is None:
        raise SettingsError(f"{variable}: needs pip install 'leadpipe-mcp[{extra}]'.")
