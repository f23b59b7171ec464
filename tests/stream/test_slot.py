"""A process that speaks nonsense costs no memory."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from stream import slot


@pytest.mark.parametrize(("length", "frame"), [(3, b"abc"), (slot._MAX_FRAME_BYTES + 1, None)])
async def test_a_frame_past_all_bounds_is_not_read(length: int, frame: bytes | None) -> None:
    pipe = asyncio.StreamReader()
    pipe.feed_data(length.to_bytes(4, "big") + b"abc")
    async with asyncio.timeout(5):
        assert await slot._read(SimpleNamespace(stdout=pipe)) == frame  # type: ignore[arg-type]
