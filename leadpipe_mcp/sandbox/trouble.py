"""Faults made to happen: spoilt answers, half answers, dropped connections."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Send

from leadpipe_mcp.sandbox.faults import Fault, Faults, read_fault

CONTROL_PATH = "/_sandbox/faults"
TRANSPORT = "sandbox_transport"
"""Where the server leaves a connection's transport in the state of its requests."""
_USELESS = {"malformed": b'{"data": [{"id": ', "empty": b"", "wrong_shape": b'{"data":{}}'}
_PIECE = b'{"id": "again and again"}, ' * 2_500
_PIECES = 1_600
_PAGE = "<!doctype html><title>{status}</title><h1>{status} {message}</h1>"


def spoil(fault: Fault) -> Response:
    """The answer that stands in place of the right one."""
    if fault.kind in _USELESS:
        return Response(_USELESS[fault.kind], media_type="application/json")
    if fault.kind == "huge":
        return StreamingResponse(_without_end(), media_type="application/json")
    if fault.kind == "redirect":
        status = fault.status if 300 <= fault.status < 400 else 307
        return Response(None, status, {"Location": fault.location})
    if fault.kind == "html":
        page = _PAGE.format(status=fault.status, message=fault.message)
        return HTMLResponse(page, fault.status)
    error = {"code": fault.code, "message": fault.message}
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return JSONResponse({"error": error}, fault.status, headers)


def echoing(fault: Fault, request: Request, body: bytes) -> Fault:
    """The error of a careless service: its message repeats what it was sent."""
    sent = " ".join(f"{name}: {value}" for name, value in request.headers.items())
    said = f"{fault.message}: {request.method} {request.url} {sent} {body.decode(errors='replace')}"
    return replace(fault, kind="status", message=said)


async def drop(request: Request, *, refused: bool = False) -> None:
    """Drop the connection: abort its socket, or raise where there is none."""
    transport = request.scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        lost = ConnectionRefusedError if refused else ConnectionResetError
        raise lost("The sandbox dropped the connection")
    transport.abort()
    await gone(request)


async def send_half(response: Response, request: Request, send: Send) -> None:
    """Send half of a body under the headers of the whole, and hang up."""
    transport = request.scope.get("state", {}).get(TRANSPORT)
    if isinstance(response, StreamingResponse):
        response = await _whole(response)
    half = bytes(response.body)[: len(response.body) // 2]
    await send(
        {
            "type": "http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "http.response.body", "body": half, "more_body": transport is not None})
    if transport is not None:
        transport.close()
        await gone(request)


def control(faults: Faults, method: str, body: bytes) -> Response:
    """Faults over HTTP: POST one, GET them all, DELETE them all."""
    if method == "POST":
        try:
            faults.add(read_fault(json.loads(body)))
        except ValueError as error:
            return JSONResponse({"error": {"code": "BAD_FAULT", "message": str(error)}}, 400)
    elif method == "DELETE":
        faults.clear()
    return JSONResponse({"data": faults.listed()}, 201 if method == "POST" else 200)


async def _without_end() -> AsyncGenerator[bytes]:
    """JSON of so many pieces, each made when the one before has been sent."""
    yield b'{"data": ['
    for _ in range(_PIECES):
        yield _PIECE
        # Whoever hangs up is noticed here.
        await anyio.lowlevel.checkpoint()
    yield b"{}]}"


async def _whole(stream: StreamingResponse) -> Response:
    """The same answer in one piece, so that there is a length to fall short of."""
    content = bytearray()
    async for piece in stream.body_iterator:
        content += piece.encode() if isinstance(piece, str) else piece
    return Response(bytes(content), stream.status_code, stream.headers)


async def gone(request: Request) -> None:
    """Nothing, once the client has hung up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
