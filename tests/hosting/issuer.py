"""An authorization server that signs tokens and shows its keys."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

AUDIENCE = "http://127.0.0.1:8787/mcp"


class Issuer:
    """Signs tokens with a key of its own.

    Args:
        url: Where its keys are shown.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        shown: dict[str, str] = {**public, "kid": "1", "use": "sig", "alg": "ES256"}
        self.jwks = {"keys": [shown]}

    def token(self, *, algorithm: str = "ES256", **claims: object) -> str:
        """Return a token for someone of the team; claims that are None are left out."""
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "anna",
            "exp": time.time() + 300,
            "scope": "leadpipe:read leadpipe:write",
        }
        said = {name: claim for name, claim in (usual | claims).items() if claim is not None}
        key = self._key if algorithm == "ES256" else ""
        return jwt.encode(said, key, algorithm, headers={"kid": "1"})


@contextmanager
def issuing() -> Generator[Issuer]:
    """Serve an issuer's keys on this machine."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(issuer.jwks).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield issuer
        server.shutdown()
