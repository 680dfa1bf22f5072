"""API keys: several, kept as hashes, compared in constant time, changed without a restart.

A key is never kept, logged or shown. Keys come from `TBC_API_KEYS` (hashed at start) and from
`TBC_API_KEYS_FILE` (one SHA-256 in hexadecimal per line, read again when the file changes).
"""

import hashlib
import hmac
import re

from fastapi import Request

from classifier.errors import ClassifierError
from serving.settings import ServerSettings

_HASH = re.compile(r"[0-9a-f]{64}")


class AuthenticationError(ClassifierError):
    """No valid API key came with the request."""


class ApiKeys:
    """The keys that are accepted."""

    def __init__(self, settings: ServerSettings) -> None:
        """Hash the keys of the settings and read the file, if one is named."""
        given = settings.api_keys.get_secret_value() if settings.api_keys else ""
        self._fixed = frozenset(_hash(key.strip()) for key in given.split(",") if key.strip())
        self._path = settings.api_keys_file
        self._stamp: tuple[int, int] | None = None
        self._from_file: frozenset[str] = frozenset()
        self.is_required = bool(self._fixed) or self._path is not None
        self._read_file()

    def _read_file(self) -> None:
        """Read the file if it changed; a file that is gone keeps the keys it had."""
        if self._path is None:
            return
        try:
            status = self._path.stat()
            stamp = status.st_mtime_ns, status.st_size
            if stamp == self._stamp:
                return
            lines = self._path.read_text(encoding="utf-8").split()
        except OSError:
            return
        self._from_file = frozenset(line for line in lines if _HASH.fullmatch(line))
        self._stamp = stamp

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            AuthenticationError: If keys are required and the request brings none that is accepted,
                as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
        """
        if not self.is_required:
            return
        self._read_file()
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        key = bearer if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        offered = _hash(key.strip())
        # Every key is compared, in constant time, so that timing tells nothing.
        matches = [hmac.compare_digest(offered, k) for k in self._fixed | self._from_file]
        if not any(matches):
            raise AuthenticationError(
                "an API key is needed: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'"
            )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def check_key(request: Request) -> None:
    """Dependency of the routes that need a key."""
    keys: ApiKeys = request.app.state.keys
    keys.check(request)
