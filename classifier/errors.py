"""The errors this package raises.

* ClassifierError
  x TranscriptError            the input is wrong; the caller can fix it
    + UnknownFormatError       no reader recognises it
    + MalformedTranscriptError a reader recognises it and cannot read it
    + EmptyTranscriptError     nothing the agent wrote, so nothing to judge
    + TranscriptTooLongError   more windows than the limit
  x SourceError                a file or folder cannot be read
  x BundleError                the model directory is wrong; the operator can fix it
    + BundleIntegrityError     a file is missing or is not the one that was shipped
    + BundleVersionError       made for another schema or rendering
  x InferenceError             the engine failed; retrying may help
    + OverloadedError          nothing failed, there is no room; retry later
    + DeadlineError            there was no time left

A `TranscriptError` concerns one transcript: batch labelling records it on that row and goes on. A
`BundleError` ends the process: every verdict would be wrong. Messages carry ids, places and counts,
never the text of a transcript.
"""

from collections.abc import Sequence


class ClassifierError(Exception):
    """Root of the errors raised on purpose."""


class TranscriptError(ClassifierError):
    """The input is wrong; the caller can fix it."""


class UnknownFormatError(TranscriptError):
    """No reader recognises the input.

    Attributes:
        tried: Names of the formats that were tried, in order.
    """

    def __init__(self, *, tried: Sequence[str], hint: str = "") -> None:
        self.tried = tuple(tried)
        detail = f" ({hint})" if hint else ""
        super().__init__(
            f"unknown transcript format{detail}; tried {', '.join(self.tried)}; "
            "name one with --format, or see docs/formats.md"
        )


class MalformedTranscriptError(TranscriptError):
    """The format is known and the content breaks its rules.

    Attributes:
        format: Name of the format.
        where: Place in the input, e.g. `line 3` or `messages[2].content`.
    """

    def __init__(self, message: str, *, format: str, where: str = "") -> None:
        self.format = format
        self.where = where
        place = f" at {where}" if where else ""
        super().__init__(f"malformed {format} transcript{place}: {message}")


class EmptyTranscriptError(TranscriptError):
    """There is no text of the agent's. No answer is not a safe answer.

    Attributes:
        n_messages: Messages in the transcript.
    """

    def __init__(self, *, n_messages: int) -> None:
        self.n_messages = n_messages
        super().__init__(
            f"nothing to judge: none of the {n_messages} messages holds text written by the agent; "
            "check the roles (the agent's is 'assistant')"
        )


class TranscriptTooLongError(TranscriptError):
    """The transcript needs more windows than the limit allows.

    Attributes:
        n_windows: Windows the transcript would need.
        max_windows: The limit in force.
    """

    def __init__(self, *, n_windows: int, max_windows: int) -> None:
        self.n_windows = n_windows
        self.max_windows = max_windows
        super().__init__(
            f"transcript needs {n_windows} windows, more than the limit of {max_windows}; "
            "raise max_windows or split the transcript at a task boundary"
        )


class SourceError(ClassifierError):
    """A file or folder cannot be read.

    Attributes:
        path: The source as given.
    """

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        super().__init__(f"cannot read {path}: {message}")


class BundleError(ClassifierError):
    """The model directory is wrong; the operator can fix it."""


class BundleIntegrityError(BundleError):
    """A file of the bundle is missing or is not the one that was shipped."""


class BundleVersionError(BundleError):
    """The bundle was made for another schema or rendering of this package."""


class InferenceError(ClassifierError):
    """The engine failed; retrying may help."""


class OverloadedError(InferenceError):
    """Nothing failed, there is no room; retry later.

    Attributes:
        retry_after_s: Seconds until there should be room.
    """

    def __init__(self, *, queued: int, limit: int, retry_after_s: float) -> None:
        self.queued = queued
        self.limit = limit
        self.retry_after_s = retry_after_s
        super().__init__(
            f"{queued} tokens are waiting and the limit is {limit}; retry in {retry_after_s:.0f} s"
        )


class DeadlineError(InferenceError):
    """The request's deadline passed before its verdict was ready."""

    def __init__(self, *, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        super().__init__(f"no verdict within {timeout_s:g} s; send less at once or allow more time")
