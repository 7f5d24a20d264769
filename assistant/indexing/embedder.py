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
_CHUNK = 20_000
"""Texts that are taken out of the index at once."""
_PASSAGES, _VOCABULARY = "Embedding passages", "Embedding the vocabulary"


@dataclass(slots=True)
class Embedding:
    """Of one build; counts in `report` what it does."""

    encoder: Encoder
    report: BuildReport
    progress: Progress
    monotonic: Callable[[], float]
    _done: dict[str, int] = field(default_factory=dict)
    """By step: texts that got a vector so far."""

    def compute(self, writer: Writer, seconds: float) -> None:
        """Computes vectors until none is missing, or for about so long."""
        waiting = writer.texts.waiting(_CHUNK)
        of_passages = writer.texts.waiting_count(passages=True)
        counts = {_PASSAGES: of_passages, _VOCABULARY: writer.texts.waiting_count() - of_passages}

        def tell(done: int) -> None:
            what, here = (_PASSAGES, done) if done <= of_passages else (_VOCABULARY, done - of_passages)
            before = self._done.get(what, 0)
            self.progress(what, before + here, before + counts[what])

        done = self._batches(writer, waiting, tell, self.monotonic() + seconds)
        for what, here in ((_PASSAGES, min(done, of_passages)), (_VOCABULARY, max(0, done - of_passages))):
            self._done[what] = self._done.get(what, 0) + here

    def _batches(
        self, writer: Writer, waiting: Sequence[tuple[TextId, str]], tell: Callable[[int], None], until: float
    ) -> int:
        """How many of the texts got a vector by then. An interrupt keeps what is computed."""
        done = 0
        batch: list[tuple[TextId, Matrix]] = []
        committed = self.monotonic()
        try:
            for done, matrix in enumerate(self.encoder.passages([text for _, text in waiting]), 1):
                batch.append((waiting[done - 1][0], matrix))
                tell(done)
                now = self.monotonic()
                if len(batch) == BATCH_TEXTS or now - committed > BATCH_SECONDS:
                    ready, batch, committed = batch, [], now
                    self.report.embedded += writer.texts.put_vectors(ready)
                    if now > until:
                        break
        finally:
            if batch:
                self.report.embedded += writer.texts.put_vectors(batch)
        return done
