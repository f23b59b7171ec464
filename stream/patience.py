"""A pause between a Kafka client's failed looks for the cluster, which aiokafka leaves out."""

from __future__ import annotations

import asyncio
from typing import Any

PAUSE_S = 0.5


def with_pauses(client: Any, pause_s: float = PAUSE_S) -> None:
    """Let an ``AIOKafkaClient`` wait after each failed look for brokers and leaders.

    Without it a client whose only broker has shut down in order asks 300 times a second: it takes
    a processor from the work beside it, on both sides.

    Args:
        client: Not started yet; an ``AIOKafkaClient``.
        pause_s: Seconds.
    """
    look = client._metadata_update  # noqa: SLF001 - aiokafka has no setting for it

    async def look_and_pause(*args: Any) -> bool:
        if await look(*args):
            return True
        await asyncio.sleep(pause_s)
        return False

    client._metadata_update = look_and_pause  # noqa: SLF001 - as above
