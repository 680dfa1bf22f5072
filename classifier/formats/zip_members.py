"""Read members of a zip archive, Zstandard ones included, each within a bound.

A member is given whole and verified (size and CRC) or not at all. Python's `zipfile` before 3.14
does not read method 93, and one-shot decompression stops in silence after the first of several
frames; so those members are read here from the archive's own bytes.
"""

import errno
import struct
import zipfile
import zlib
from typing import BinaryIO, Final

import zstandard

from classifier.errors import MalformedTranscriptError

FORMAT: Final = "zip"
"""What errors call the container."""

ZSTANDARD: Final = 93
"""Method of Zstandard members, which older versions of `zipfile` do not name."""

MAX_MEMBER_BYTES: Final = 1 << 30
"""Most decompressed bytes of one member, 1 GiB; larger ones are bombs or no transcripts."""

_READ_BYTES: Final = 1 << 20
_LOCAL_HEADER: Final = struct.Struct("<4s5H3L2H")
_LOCAL_MAGIC: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 0x1

# What `zipfile` and the decompressors raise on damaged bytes, besides their own errors.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
    struct.error,
    EOFError,
    IndexError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class ZipMembers:
    """The members of one archive, by name.

    A name written twice means its last member, which is how Inspect replaces one.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read the directory of an archive.

        Raises:
            MalformedTranscriptError: If the file is no archive, or a damaged one.
        """
        self._file = file
        try:
            # Names and sizes only: opening for reading copies no member.
            self._archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            raise _damaged("", error) from None
        except OSError as error:
            raise _seek_error("", error) from None
        self._infos = {info.filename: info for info in self._archive.infolist()}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, in the archive's order."""
        return tuple(self._infos)

    def read(self, name: str, *, max_bytes: int = MAX_MEMBER_BYTES) -> bytes:
        """Read one member whole.

        Raises:
            MalformedTranscriptError: If it is too large, damaged, encrypted or compressed in a way
                that is not read here.
        """
        info = self._infos[name]
        if info.file_size > max_bytes:
            raise _refused(name, f"{info.file_size} bytes, more than the limit of {max_bytes}")
        if info.flag_bits & _ENCRYPTED:
            raise _refused(name, "encrypted")
        try:
            data = self._unpacked(info)
        except _DAMAGE as error:
            raise _damaged(name, error) from None
        except OSError as error:
            raise _seek_error(name, error) from None
        if len(data) != info.file_size:
            raise _refused(name, f"{info.file_size} bytes announced, got {len(data)} or more")
        if zlib.crc32(data) != info.CRC:
            raise _refused(name, "its checksum does not fit its bytes")
        return data

    def _unpacked(self, info: zipfile.ZipInfo) -> bytes:
        """The member's bytes, or one more than announced where there are more."""
        if info.compress_type == ZSTANDARD:
            return self._unpacked_zstandard(info)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NotImplementedError
        with self._archive.open(info) as member:
            return member.read(info.file_size + 1)

    def _unpacked_zstandard(self, info: zipfile.ZipInfo) -> bytes:
        self._file.seek(info.header_offset)
        fields = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        if fields[0] != _LOCAL_MAGIC:
            raise zipfile.BadZipFile
        name_bytes, extra_bytes = fields[-2:]
        self._file.seek(name_bytes + extra_bytes, 1)
        packed = self._file.read(info.compress_size)
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        chunks: list[bytes] = []
        left = info.file_size + 1
        while left > 0 and (chunk := reader.read(min(left, _READ_BYTES))):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)


def _damaged(name: str, error: Exception) -> MalformedTranscriptError:
    reason = "compressed in an unknown way" if isinstance(error, NotImplementedError) else "damaged"
    return _refused(name, reason)


def _seek_error(name: str, error: OSError) -> Exception:
    """A damaged archive sends us to places before the file's start; other errors are the disk's."""
    return _refused(name, "damaged") if error.errno == errno.EINVAL else error


def _refused(name: str, reason: str) -> MalformedTranscriptError:
    place = f"member {name}" if name else ""
    return MalformedTranscriptError(reason, format=FORMAT, where=place)
