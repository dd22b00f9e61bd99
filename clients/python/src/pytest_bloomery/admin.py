"""Requests that administer a server, with nothing but the standard library."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

_SECONDS = 60
# The server is on this machine, whatever proxies there are for others.
_open = build_opener(ProxyHandler({})).open


class BloomeryError(Exception):
    """The server refused what was asked of it, or could not be started."""

    def __init__(self, message: str, status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Admin:
    """What is below ``/admin``. Plain HTTP, which the server speaks with its own machine on the same port."""

    def __init__(self, endpoint: str, key: str) -> None:
        self._base = f"http://{urlsplit(endpoint).netloc}/admin"
        self._key = key

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"api-key": self._key, "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._base + path, data=data, headers=headers, method=method)
        try:
            with _open(request, timeout=_SECONDS) as answer:
                text = answer.read()
        except HTTPError as refusal:
            raise _told(method, path, refusal) from None
        return json.loads(text) if text else None


def _told(method: str, path: str, refusal: HTTPError) -> BloomeryError:
    text = refusal.read().decode(errors="replace")
    try:
        error = json.loads(text)["error"]
        code, message, target = error["code"], error["message"], error.get("target")
    except (ValueError, KeyError, TypeError):
        return BloomeryError(f"{method} {path}: HTTP {refusal.code}", refusal.code)
    about = f" ({target})" if target else ""
    return BloomeryError(f"{method} {path}: {refusal.code} {code}{about}: {message}", refusal.code, code)
