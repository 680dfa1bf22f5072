"""What the routes call: a transcript of any format in, a verdict out, within the limits.

Reading, preparing and concluding are processor work and run in worker threads; only the batcher
touches the session.
"""

import asyncio
from typing import Final

from starlette.concurrency import run_in_threadpool

from classifier.errors import DeadlineError, MalformedTranscriptError
from classifier.formats import parse_payload
from classifier.pipeline import Prepared, TranscriptClassifier
from classifier.verdict import Verdict
from serving.batcher import Batcher
from serving.settings import ServerSettings

DEFAULT_ID: Final = "transcript"
"""Id of a transcript that comes without one."""


class Service:
    """A classifier and its batcher."""

    def __init__(
        self, classifier: TranscriptClassifier, batcher: Batcher, settings: ServerSettings
    ) -> None:
        self.classifier = classifier
        self.batcher = batcher
        self.settings = settings

    async def classify(self, payload: object) -> Verdict:
        """Judge a decoded request body.

        Args:
            payload: A transcript in any known format, or `{"format": name, "data": transcript}`.

        Raises:
            ClassifierError: See `serving.errors` for the answers.
        """
        timeout_s = self.settings.request_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                prepared = await run_in_threadpool(self._prepare, payload)
                scores = await self.batcher.submit(prepared.windows)
                return await run_in_threadpool(self.classifier.conclude, prepared, scores)
        except TimeoutError as error:
            raise DeadlineError(timeout_s=timeout_s) from error

    def _prepare(self, payload: object) -> Prepared:
        format_name = None
        if isinstance(payload, dict) and set(payload) == {"format", "data"}:
            format_name, payload = str(payload["format"]), payload["data"]
        found = parse_payload(payload, format=format_name, default_id=DEFAULT_ID)
        if len(found) != 1:
            raise MalformedTranscriptError(
                f"holds {len(found)} transcripts, one is expected",
                format=found[0].source.format if found else format_name or "unknown",
            )
        return self.classifier.prepare(found[0], max_windows=self.settings.max_windows)
