"""The command line in tests: in this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from click.testing import CliRunner, Result

from stream.cli import main

ROOT = Path(__file__).parents[2]

ARTICLE = """\
بلدية صفاقس تفتتح حديقة عامة جديدة

صفاقس - وكالات

افتتحت بلدية صفاقس اليوم حديقة عامة جديدة على الطريق الساحلية، بعد أشغال دامت ثلاث سنوات كاملة.

وقال رئيس البلدية إن الحديقة تضم مسلكا للدراجات وفضاء للأطفال ومكتبة صغيرة مفتوحة للعموم.

مشاركة :
"""
"""A page of our own: "Sfax opens a new public garden", with a share label at its end."""


def invoke(*args: str, environ: Mapping[str, str] | None = None, stdin: bytes = b"") -> Result:
    """Run ``nashra`` in this process."""
    return CliRunner().invoke(main, list(args), input=stdin, env=environ, prog_name="nashra")


def nashra(*args: str) -> list[str]:
    """Command line of ``nashra`` as a process."""
    return [sys.executable, "-m", "stream", *args]


def spawn(args: Sequence[str], cwd: Path) -> subprocess.Popen[bytes]:
    """Start ``nashra`` as a process of its own, with pipes."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NASHRA_")}
    return subprocess.Popen(
        nashra(*args),
        cwd=cwd,
        env=environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
