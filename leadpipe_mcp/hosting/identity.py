"""Who is calling: someone with a Leadpipe key of their own, or a member of the team with a token.

A key is used for the requests of its caller's calls and is kept nowhere. What is kept between calls
is kept under the caller's id, a keyed hash that tells nothing of the key. A team's tokens admit its
members; they never travel upstream, where the team's own key speaks for all.
"""

import hashlib
import hmac
import logging
import re
from collections.abc import Sequence
from typing import Any, Final, cast

import jwt
from anyio import to_thread
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from pydantic import AnyHttpUrl, SecretStr
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
)
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from leadpipe_mcp.callers import Callers, KeptTogether, Shared
from leadpipe_mcp.downloads import Downloads
from leadpipe_mcp.settings import SANDBOX_KEY

READ: Final = "leadpipe:read"
WRITE: Final = "leadpipe:write"
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
"""Only signatures that the holder of a public key cannot make."""
CLOCKS_DIFFER_SECONDS = 30
KEYS_SECONDS = 300
_SONARLY = "sonarly"
_KEY = re.compile(r"sk_[A-Za-z0-9_-]{5,200}")

_log = logging.getLogger(__name__)


class ManyCallers(Callers):
    """Callers over HTTP, as the token says that came with the request.

    Args:
        shared: What the processes know together.
        of_a_team: Whether all of them use the team's own account.
        downloads: Where their files go, if anywhere.
    """

    see_alike = False

    def __init__(
        self, shared: Shared, *, of_a_team: bool, downloads: Downloads | None = None
    ) -> None:
        super().__init__(shared)
        self.downloads = downloads
        self._of_a_team = of_a_team

    def id(self) -> str:
        """Return what stands for the caller."""
        token = get_access_token()
        return token.client_id if token else ""

    def account(self) -> str:
        """Return what stands for the caller's own account, or nothing for the team's."""
        return "" if self._of_a_team else self.id()

    def may_write(self) -> bool:
        """Whether the caller's token is for changing things as well."""
        token = get_access_token()
        return token is not None and WRITE in token.scopes

    def leadpipe_key(self) -> SecretStr | None:
        """Return the key that came with the request."""
        token = get_access_token()
        return SecretStr(token.token) if token and not self._of_a_team else None

    def sonarly_key(self) -> SecretStr | None:
        """Return the key of Sonarly that came with the request, if any."""
        token = get_access_token()
        key = (token.claims or {}).get(_SONARLY) if token else None
        return SecretStr(key) if key else None

    def keeping(self, what: str, seconds: float) -> KeptTogether:
        """Return what keeps something of the caller's account for all processes."""
        return KeptTogether(self.shared, f"{what} of {self.account()}", seconds)


def stand_in(shared: Shared, *parts: str) -> str:
    """Return what stands for a key or a name without telling it, in every process the same."""
    told = b"".join(hashlib.sha256(part.encode()).digest() for part in parts)
    return hmac.new(shared.key("callers"), told, "sha256").hexdigest()[:32]


class OwnKeys(AuthenticationBackend):
    """Admits whoever brings a Leadpipe key; whether it is valid, the service will say.

    Args:
        shared: Makes what stands for a caller the same in every process.
        are_needed: Whether nobody may call without one, as in the sandbox.
    """

    def __init__(self, shared: Shared, *, are_needed: bool) -> None:
        self._shared = shared
        self._are_needed = are_needed

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Read the keys from the headers; None where there is no key."""
        scheme, _, bearer = conn.headers.get("authorization", "").partition(" ")
        given = {conn.headers.get("x-api-key", "").strip()}
        given |= {bearer.strip()} if scheme.lower() == "bearer" else set()
        given -= {""}
        if not given and not self._are_needed:
            given = {SANDBOX_KEY}
        if not given:
            raise AuthenticationError(
                "Send your Leadpipe API key with each request: Authorization: Bearer sk_..."
            )
        key, sonarly = given.pop(), conn.headers.get("x-sonarly-key", "").strip()
        if given:
            raise AuthenticationError("Authorization and X-API-Key hold different keys; send one.")
        if not _KEY.fullmatch(key):
            raise AuthenticationError("That is not a Leadpipe API key, which begins with sk_.")
        if sonarly and not (sonarly.isascii() and sonarly.isprintable() and " " not in sonarly):
            raise AuthenticationError("X-Sonarly-Key holds characters that no key has.")
        scopes = [READ, WRITE]
        token = AccessToken(
            token=key,
            client_id=stand_in(self._shared, key, sonarly),
            scopes=scopes,
            claims={_SONARLY: sonarly},
        )
        return AuthCredentials(scopes), AuthenticatedUser(token)


class TeamTokens(AuthenticationBackend):
    """Admits whoever brings a token that the team's authorization server signed for this server.

    Args:
        shared: Makes what stands for a caller the same in every process.
        issuer: Who has to have issued the token, as its `iss` says.
        audience: Whom it has to be for, as its `aud` says.
        jwks_url: Where the issuer's public keys are.
    """

    def __init__(self, shared: Shared, issuer: str, audience: str, jwks_url: str) -> None:
        self._shared = shared
        self._issuer = issuer
        self._audience = audience
        self._keys = jwt.PyJWKClient(jwks_url, lifespan=KEYS_SECONDS, timeout=5)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Check the bearer token; None where there is none."""
        scheme, _, token = conn.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        try:
            key = await to_thread.run_sync(self._keys.get_signing_key_from_jwt, token.strip())
            claims = jwt.decode(
                token.strip(),
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCKS_DIFFER_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            _log.warning("The authorization server's keys cannot be fetched")
            raise KeysAway from None
        except jwt.ExpiredSignatureError:
            raise AuthenticationError("The token has expired; get a new one.") from None
        except jwt.InvalidAudienceError:
            raise AuthenticationError("The token is for another server.") from None
        except jwt.InvalidIssuerError:
            raise AuthenticationError("The token is from another issuer.") from None
        except (jwt.PyJWTError, ValueError):
            raise AuthenticationError("The token is not valid.") from None
        scopes = _scopes(claims)
        subject = str(claims["sub"])
        known = AccessToken(
            token=token.strip(),
            client_id=stand_in(self._shared, self._issuer, subject),
            scopes=scopes,
            expires_at=int(claims["exp"]),
            resource=self._audience,
            subject=subject,
            claims={"iss": self._issuer},
        )
        return AuthCredentials(scopes), AuthenticatedUser(known)


class KeysAway(AuthenticationError):
    """Nobody's token can be checked at present."""


def _scopes(claims: dict[str, Any]) -> list[str]:
    """The scopes of a token: one string by the standard, a list by some issuers."""
    said = claims.get("scope", claims.get("scp", ""))
    if isinstance(said, str):
        return said.split()
    return [one for one in cast("Sequence[object]", said) if isinstance(one, str)]


def refusal(metadata: AnyHttpUrl | None, _: HTTPConnection, error: Exception) -> Response:
    """Answer a caller whose key or token is no good; the metadata says where tokens are issued."""
    if isinstance(error, KeysAway):
        said = "Tokens cannot be checked just now. Try again in a few seconds."
        body = {"error": "temporarily_unavailable", "error_description": said}
        return JSONResponse(body, 503, {"retry-after": "5"})
    said = str(error)
    body = {"error": "invalid_token", "error_description": said}
    header = f'Bearer error="invalid_token", error_description="{said}"'
    header += f', resource_metadata="{metadata}"' if metadata else ""
    return JSONResponse(body, 401, {"www-authenticate": header})
