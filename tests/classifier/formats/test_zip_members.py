import zipfile
from pathlib import Path

import pytest

from classifier.errors import MalformedTranscriptError
from classifier.formats.zip_members import ZipMembers
from tests.classifier.formats.samples import PACKERS, write_zip

DATA = b"".join(b"line %d of a member\n" % number for number in range(5000))
METHODS = sorted(PACKERS)


@pytest.mark.parametrize("method", METHODS)
def test_a_member_comes_out_whole(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": b"first", "b": DATA, "c": b""}, method=method)
    with path.open("rb") as file:
        members = ZipMembers(file)
        assert members.names == ("a", "b", "c")
        assert [members.read(name) for name in members.names] == [b"first", DATA, b""]


@pytest.mark.parametrize("method", METHODS)
def test_a_damaged_member_is_an_error_and_the_others_are_read(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": DATA, "b": DATA}, method=method)
    raw = bytearray(path.read_bytes())
    for position in range(200, 240):
        raw[position] ^= 0x5A
    path.write_bytes(raw)
    with path.open("rb") as file:
        members = ZipMembers(file)
        with pytest.raises(MalformedTranscriptError) as caught:
            members.read("a")
        assert caught.value.where == "member a"
        assert members.read("b") == DATA


@pytest.mark.parametrize("method", METHODS)
def test_a_member_beyond_the_limit_is_refused(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": DATA}, method=method)
    with path.open("rb") as file:
        members = ZipMembers(file)
        assert members.read("a", max_bytes=len(DATA)) == DATA
        with pytest.raises(MalformedTranscriptError, match="more than the limit"):
            members.read("a", max_bytes=len(DATA) - 1)


@pytest.mark.parametrize("method", METHODS)
def test_a_member_larger_than_it_says_is_refused(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": DATA}, method=method)
    honest, lie = len(DATA).to_bytes(4, "little"), (10).to_bytes(4, "little")
    raw = path.read_bytes()
    start = raw.index(b"PK\x01\x02")
    path.write_bytes(raw[:start] + raw[start:].replace(honest, lie))
    with (
        path.open("rb") as file,
        pytest.raises(MalformedTranscriptError, match=r"10 bytes|damaged"),
    ):
        ZipMembers(file).read("a")


def test_the_last_member_of_a_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "old")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a", "new")
    with path.open("rb") as file:
        members = ZipMembers(file)
        assert (members.names, members.read("a")) == (("a",), b"new")


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        pytest.param((8, b"\x01\x00"), "encrypted", id="an encrypted member"),
        pytest.param((10, b"\x0c\x00"), "unknown way", id="a method that is not read"),
    ],
)
def test_a_member_that_cannot_be_read_says_why(
    tmp_path: Path, patch: tuple[int, bytes], message: str
) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": DATA}, method=8)
    raw = bytearray(path.read_bytes())
    start = raw.index(b"PK\x01\x02") + patch[0]
    raw[start : start + 2] = patch[1]
    path.write_bytes(raw)
    with path.open("rb") as file, pytest.raises(MalformedTranscriptError, match=message):
        ZipMembers(file).read("a")


def test_a_file_that_is_no_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 and then nothing")
    with path.open("rb") as file, pytest.raises(MalformedTranscriptError, match="damaged"):
        ZipMembers(file)


def test_a_directory_that_points_before_the_file_is_damage_and_no_disk_error(
    tmp_path: Path,
) -> None:
    path = write_zip(tmp_path / "a.zip", {"a": DATA}, method=8)
    raw = bytearray(path.read_bytes())
    raw[-10:-6] = (len(raw) * 2).to_bytes(4, "little")
    path.write_bytes(raw)
    with path.open("rb") as file, pytest.raises(MalformedTranscriptError, match="damaged"):
        ZipMembers(file)
