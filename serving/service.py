"""What the routes call: a transcript of any format in, a verdict out, within the limits.

Reading, preparing and concluding are processor work and run in worker threads; only the batcher
touches the session.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool

from classifier.aggregation import aggregate
from classifier.arrays import Floats
from classifier.errors import ClassifierError, DeadlineError, MalformedTranscriptError
from classifier.formats import parse_payload
from classifier.pipeline import Prepared, TranscriptClassifier
from classifier.transcript import Transcript
from classifier.verdict import Verdict
from serving.batcher import Lane
from serving.cache import CachedScorer
from serving.metrics import Metrics
from serving.settings import ServerSettings

DEFAULT_ID: Final = "transcript"
"""Id of a transcript that comes without one."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what it was made from."""

    transcript: Transcript
    verdict: Verdict
    logits: Floats
    """Shape (n_outputs,), before calibration."""


class Service:
    """A classifier and what scores its windows."""

    def __init__(
        self,
        classifier: TranscriptClassifier,
        scorer: CachedScorer,
        settings: ServerSettings,
        metrics: Metrics,
    ) -> None:
        self.classifier = classifier
        self.settings = settings
        self.batch_streams = 0
        self._scorer = scorer
        self._metrics = metrics

    async def classify(
        self, payload: object, *, lane: Lane = Lane.INTERACTIVE, timeout_s: float | None = None
    ) -> Verdict:
        """Judge a decoded request body; see `judge`."""
        return (await self.judge(payload, lane=lane, timeout_s=timeout_s)).verdict

    async def judge(
        self, payload: object, *, lane: Lane = Lane.INTERACTIVE, timeout_s: float | None = None
    ) -> Judged:
        """Judge a decoded request body and keep the logits.

        Args:
            payload: A transcript in any known format, or `{"format": name, "data": transcript}`.
            lane: Whose turn comes first; the batch lane waits for room instead of being refused.
            timeout_s: Seconds the caller allows; never more than the setting.

        Raises:
            ClassifierError: See `serving.errors` for the answers.
        """
        limit_s = min(timeout_s or self.settings.request_timeout_s, self.settings.request_timeout_s)
        is_batch = lane is Lane.BATCH
        try:
            prepared = await run_in_threadpool(self._prepare, payload)
            async with asyncio.timeout(None if is_batch else limit_s):
                scores = await self._scorer.scores(prepared.windows, lane, may_wait=is_batch)
            verdict = await run_in_threadpool(self.classifier.conclude, prepared, scores)
        except TimeoutError as error:
            self._metrics.transcripts.labels("DeadlineError").inc()
            raise DeadlineError(timeout_s=limit_s) from error
        except ClassifierError as error:
            self._metrics.transcripts.labels(type(error).__name__).inc()
            raise
        self._metrics.verdict(verdict)
        return Judged(prepared.transcript, verdict, aggregate(scores))

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
