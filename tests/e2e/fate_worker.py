"""The real cleaner with its pool, but for pages that say how to misbehave.

``python fate_worker.py BOOTSTRAP DATA_DIR``; with ``FATES_FIXED=1`` such pages are articles too.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.config import replace
from stream.roles import CLEANER
from stream.slot import Work
from stream.worker import run_stage_worker
from tests.support.fates import MAX_TRIES, TASK_TIMEOUT_S
from tests.support.stream_kit import config_for


def main() -> int:
    config = config_for(sys.argv[1], Path(sys.argv[2]))
    config = replace(
        config,
        pool=replace(config.pool, task_timeout_s=TASK_TIMEOUT_S),
        worker=replace(config.worker, retry_attempts=MAX_TRIES),
    )
    arguments = {"is_fixed": bool(os.environ.get("FATES_FIXED"))}
    work = Work(factory="tests.support.fates:poisoned_stage", arguments=arguments)
    return run_stage_worker(CLEANER, config, work)


if __name__ == "__main__":
    sys.exit(main())
