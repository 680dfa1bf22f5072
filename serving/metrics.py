"""Prometheus metrics: `tbc_*`. No label ever holds text from a request."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from classifier.verdict import Verdict

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_PROBABILITIES = tuple(n / 10 for n in range(1, 11))


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter(
            "tbc_requests", "Requests answered", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "tbc_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=registry
        )
        self.transcripts = Counter(
            "tbc_transcripts", "Transcripts judged or refused", ["outcome"], registry=registry
        )
        self.stages = Counter("tbc_stages", "Stages given", ["label", "stage"], registry=registry)
        self.scores = Histogram(
            "tbc_action_probability", "Probabilities of an act", ["label"],
            buckets=_PROBABILITIES, registry=registry,
        )  # fmt: skip
        self.batch_windows = Histogram(
            "tbc_batch_windows", "Windows given to the engine at once",
            buckets=(1, 2, 4, 8, 16, 32, 64), registry=registry,
        )  # fmt: skip
        self.tokens = Counter("tbc_tokens", "Tokens computed", registry=registry)
        self.engine_seconds = Counter(
            "tbc_engine_seconds", "Time the engine was busy", registry=registry
        )
        self.cache = Counter(
            "tbc_cache_windows", "Windows looked up", ["result"], registry=registry
        )
        self.queued = Gauge("tbc_queued_tokens", "Tokens that wait", registry=registry)
        self.cache_bytes = Gauge("tbc_cache_bytes", "Bytes of the cache in use", registry=registry)
        self.model = Info("tbc_model", "The bundle that is served", registry=registry)

    def watch(self, *, queued: Callable[[], float], cache_bytes: Callable[[], float]) -> None:
        """Read the gauges from where their numbers are kept."""
        self.queued.set_function(queued)
        self.cache_bytes.set_function(cache_bytes)

    def batch(self, windows: int, tokens: int, seconds: float) -> None:
        """Note a batch."""
        self.batch_windows.observe(windows)
        self.tokens.inc(tokens)
        self.engine_seconds.inc(seconds)

    def lookups(self, hits: int, misses: int) -> None:
        """Note what the cache knew."""
        self.cache.labels("hit").inc(hits)
        self.cache.labels("miss").inc(misses)

    def verdict(self, verdict: Verdict) -> None:
        """Note a verdict."""
        self.transcripts.labels("judged").inc()
        for name, label in verdict.labels.items():
            self.stages.labels(name, str(label.stage)).inc()
            self.scores.labels(name).observe(label.action)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self.registry)
