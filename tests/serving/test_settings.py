"""Settings: no open door by accident."""

import pytest
from pydantic import ValidationError

from serving.settings import ServerSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_loopback_needs_no_leave(host: str) -> None:
    assert ServerSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "grader.example"])
def test_other_addresses_need_leave(host: str) -> None:
    with pytest.raises(ValidationError, match="TBC_ALLOW_ANONYMOUS=1"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, allow_anonymous=True).host == host


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TBC_MAX_WINDOWS", "7")
    assert ServerSettings().max_windows == 7
