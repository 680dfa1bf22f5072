"""What the machine decides, read from `TBC_*` variables; what the model decides is in the bundle."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Settings of the server; `docs/configuration.md` is made from them."""

    model_config = SettingsConfigDict(env_prefix="TBC_", frozen=True)

    bundle: Path | None = None
    """Directory of the model bundle; the shipped one when unset."""

    thresholds: str | None = None
    """Operating point of the bundle; its default when unset."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: int = Field(default=8321, ge=0, le=65535)
    """Port to listen on."""

    allow_anonymous: bool = False
    """Allow other machines to connect although no API key is needed."""

    api_keys: SecretStr | None = None
    """Accepted API keys, separated by commas; only their hashes are kept."""

    api_keys_file: Path | None = None
    """File with the SHA-256 of an accepted key on each line; read again when it changes."""

    threads: PositiveInt | None = None
    """Threads of the engine; the processors this process may use when unset."""

    max_batch_tokens: PositiveInt = 1024
    """Tokens given to the encoder at once; a request that comes in waits for that long."""

    max_queued_tokens: PositiveInt = 262_144
    """Tokens that may wait for the encoder; beyond that requests are answered 429."""

    cache_bytes: NonNegativeInt = 64 * 1024 * 1024
    """Memory for the scores of windows that were seen before; 0 turns it off."""

    max_body_bytes: PositiveInt = 32 * 1024 * 1024
    """Largest request body of one transcript; beyond that 413."""

    max_unpacked_bytes: PositiveInt = 128 * 1024 * 1024
    """Largest body, or line of a batch, after unpacking gzip or zstd; beyond that 413."""

    max_batch_body_bytes: PositiveInt = 4 * 1024 * 1024 * 1024
    """Largest body of a batch stream."""

    max_batch_streams: PositiveInt = 8
    """Batch streams served at once; beyond that 429."""

    batch_concurrency: PositiveInt = 16
    """Lines of one batch stream that are worked on at once."""

    max_windows: PositiveInt = 4096
    """Most windows of one transcript; beyond that 413."""

    request_timeout_s: PositiveFloat = 60.0
    """Longest time a request may take; then 504."""

    drain_timeout_s: PositiveInt = 30
    """Time that accepted requests have to finish after SIGTERM."""

    @model_validator(mode="after")
    def _no_open_door_by_accident(self) -> Self:
        has_keys = self.api_keys is not None or self.api_keys_file is not None
        if not has_keys and not self.allow_anonymous and not _is_loopback(self.host):
            raise ValueError(
                f"refusing to listen on {self.host} without API keys: anyone who reaches it could "
                "use it. Set TBC_API_KEYS or TBC_API_KEYS_FILE, listen on 127.0.0.1 behind a proxy "
                "that authenticates, or set TBC_ALLOW_ANONYMOUS=1"
            )
        return self


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
