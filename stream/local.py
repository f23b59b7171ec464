"""The stages without a broker: one page in, one article or one dead letter out."""

from __future__ import annotations

from processors.tools import Tools
from schemas.codec import encode
from schemas.errors import DecodeError, Reason
from schemas.records import RawPage
from stream.clock import Clock
from stream.stage import (
    Dead,
    Drop,
    Message,
    Publish,
    Retry,
    Stage,
    run_stage,
    timestamp_ms,
    utc_now,
)
from stream.stages import cleaner_stage, enricher_stage


class LocalPipeline:
    """Cleaner and enricher back to back in this process: exactly what the workers run."""

    def __init__(self, tools: Tools, clock: Clock | None = utc_now) -> None:
        """Prepare the stages.

        Args:
            tools: Rules, gazetteers, extractor.
            clock: Gives ``cleaned_at`` and ``enriched_at``; ``None``: both are ``fetched_at``.
        """
        self._stages = (cleaner_stage(tools, clock), enricher_stage(tools, clock))

    def process(self, page: RawPage) -> bytes | Dead:
        """The enriched article as JSON, or why there is none; never raises."""
        try:
            value = encode(page)
        except DecodeError as error:
            return Dead(Reason.UNDECODABLE, str(error), "encode")
        message = _message(page, self._stages[0], value)
        for stage in self._stages:
            match run_stage(stage, message):
                case Dead() as dead:
                    return dead
                case Drop() as drop:
                    return Dead(drop.reason or Reason.EMPTY, f"not wanted: {drop.outcome}")
                case Retry(why, step):
                    return Dead(Reason.GAVE_UP, why, step)
                case Publish(outs):
                    value = outs[0].value or b""
                    message = _message(page, stage, value)
        return value


def _message(page: RawPage, stage: Stage, value: bytes) -> Message:
    """What the next stage would see on its topic."""
    return Message(
        key=page.article_id.encode(),
        value=value,
        topic=stage.source.name,
        partition=0,
        offset=0,
        timestamp_ms=timestamp_ms(page.fetched_at),
    )
