"""One table from error to HTTP status, and one shape of error body.

A body is `{"error": {"type", "message"}}`; clients branch on `type`. Bodies hold ids, places and
numbers, never the text of a transcript.
"""

from math import ceil

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from classifier.errors import (
    BundleError,
    ClassifierError,
    DeadlineError,
    InferenceError,
    OverloadedError,
    TranscriptError,
    TranscriptTooLongError,
)
from serving.auth import AuthenticationError
from serving.bodies import BodyTooLargeError, EncodingError


class TooManyStreamsError(ClassifierError):
    """As many batch streams run as may."""

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        super().__init__(f"{limit} batch streams are running, which is the limit; retry later")


class NotReadyError(ClassifierError):
    """The server is starting or draining."""


# First match wins, so subclasses stand above their bases.
STATUS_OF: dict[type[ClassifierError], int] = {
    AuthenticationError: 401,
    BodyTooLargeError: 413,
    EncodingError: 415,
    TranscriptTooLongError: 413,
    TranscriptError: 422,
    OverloadedError: 429,
    TooManyStreamsError: 429,
    DeadlineError: 504,
    NotReadyError: 503,
    InferenceError: 500,
    BundleError: 500,
    ClassifierError: 500,
}


def status_of(error: ClassifierError) -> int:
    """HTTP status of an error."""
    return next(code for kind, code in STATUS_OF.items() if isinstance(error, kind))


def error_body(kind: str, message: str) -> dict[str, dict[str, str]]:
    """The body of every answer that is an error."""
    return {"error": {"type": kind, "message": message}}


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error in the one shape."""

    @app.exception_handler(ClassifierError)
    async def _classifier_error(_request: Request, error: ClassifierError) -> JSONResponse:
        headers = {}
        if isinstance(error, OverloadedError):
            headers["Retry-After"] = str(ceil(error.retry_after_s))
        if isinstance(error, NotReadyError | TooManyStreamsError):
            headers["Retry-After"] = "1"
        if isinstance(error, AuthenticationError):
            headers["WWW-Authenticate"] = "Bearer"
        body = error_body(type(error).__name__, str(error))
        return JSONResponse(body, status_code=status_of(error), headers=headers)

    @app.exception_handler(HTTPException)
    async def _http_error(_request: Request, error: HTTPException) -> JSONResponse:
        body = error_body("HTTPError", str(error.detail))
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def _validation_error(_request: Request, error: RequestValidationError) -> JSONResponse:
        # Places and rules only: pydantic's own body would repeat the input.
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return JSONResponse(error_body("ValidationError", faults), status_code=422)

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(
            error_body("InternalError", f"unexpected {type(error).__name__}"), status_code=500
        )
