"""A pause between a Kafka client's failed looks for the cluster, which aiokafka leaves out."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

log = logging.getLogger(__name__)

PAUSE_S = 0.5
AT_ONCE_S = 0.05
"""Looks that find something and follow each other faster are slowed down to this."""


def with_pauses(client: Any, pause_s: float = PAUSE_S) -> None:
    """Let an ``AIOKafkaClient`` wait after each failed look for brokers and leaders.

    Without it a client whose only broker has shut down in order asks 300 times a second: it takes
    a processor from the work beside it, on both sides.

    Args:
        client: Not started yet; an ``AIOKafkaClient``.
        pause_s: Seconds.
    """
    look = client._metadata_update  # noqa: SLF001 - aiokafka has no setting for it

    found_s = float("-inf")

    async def look_and_pause(*args: Any) -> bool:
        nonlocal found_s
        try:
            if await look(*args):
                loop = asyncio.get_running_loop()
                if (
                    loop.time() - found_s < AT_ONCE_S
                ):  # a missing topic is asked for without a pause
                    await asyncio.sleep(AT_ONCE_S)
                found_s = loop.time()
                return True
        except KeyError as error:
            # A connection that another task has just dropped: aiokafka's own task for metadata
            # would end by it unheard, and whoever waits for metadata would wait for ever.
            log.warning("client.look_failed", extra={"error": repr(error)})
        await asyncio.sleep(pause_s)
        return False

    client._metadata_update = look_and_pause  # noqa: SLF001 - as above
