"""Texts of an index without a vector → their vectors, committed in batches as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from assistant.indexing.report import BuildReport, Progress
from assistant.models.encoder import Encoder
from assistant.storage import Matrix, TextId, Writer

BATCH_SECONDS = 2.0
"""What a killed build loses at most."""
BATCH_TEXTS = 512
_READ = 20_000
"""Texts that are read from the index at once."""
_STEPS = {
    "passages": "Embedding passages",
    "vocabulary": "Embedding the vocabulary",
    "chunks": "Embedding the context of passages",
}


@dataclass(slots=True)
class Embedder:
    """Of one build; counts in `report` what it does."""

    encoder: Encoder
    report: BuildReport
    progress: Progress
    monotonic: Callable[[], float]
    _done: dict[str, int] = field(default_factory=dict)
    """By step: texts that got a vector so far."""

    def compute(self, writer: Writer, seconds: float) -> None:
        """Computes vectors until none is missing, or for about so long; an interrupt keeps those computed so far."""
        waiting = writer.texts.waiting(_READ)
        counts = {_STEPS[user]: count for user, count in writer.texts.waiting_counts().items()}
        steps = [step for step, count in counts.items() for _ in range(count)]
        before = dict(self._done)

        def report(done: int) -> None:
            step = steps[done - 1]
            self._done[step] = self._done.get(step, 0) + 1
            self.progress(step, self._done[step], before.get(step, 0) + counts[step])

        self._batches(writer, waiting, report, self.monotonic() + seconds)

    def _batches(
        self, writer: Writer, waiting: Sequence[tuple[TextId, str]], report: Callable[[int], None], until: float
    ) -> None:
        """Gives the texts vectors until all have one or it is as late as that; `report` is told after each."""
        batch: list[tuple[TextId, Matrix]] = []
        committed = self.monotonic()
        try:
            for done, matrix in enumerate(self.encoder.passages([text for _, text in waiting]), 1):
                batch.append((waiting[done - 1][0], matrix))
                report(done)
                now = self.monotonic()
                if len(batch) == BATCH_TEXTS or now - committed > BATCH_SECONDS:
                    ready, batch, committed = batch, [], now
                    self.report.embedded += writer.texts.put_vectors(ready)
                    if now > until:
                        break
        finally:
            if batch:
                self.report.embedded += writer.texts.put_vectors(batch)
