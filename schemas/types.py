"""Field types shared by the records: times, counts, offsets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

UtcDateTime = Annotated[
    datetime,
    Meta(tz=True, description="Aware date-time, written in UTC (RFC 3339, `Z`)."),
]
"""An aware date-time. A naive one is a decode error."""

Offset = Annotated[int, Meta(ge=0, description="Code points from the start, counted from 0.")]
"""Index in Unicode code points (not bytes, not UTF-16 units); ends are exclusive."""

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, description="Seconds.")]
Score = Annotated[float, Meta(ge=0, le=1, description="0 (no trust) to 1 (certain).")]
ArticleId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{32}$",
        description="Stable article id: 32 hex digits, derived from the normalised canonical URL, "
        "or from the content where no URL is known.",
    ),
]
