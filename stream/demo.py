"""The whole path on one machine: broker, topics, workers, a replay, and what comes out."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from dataclasses import replace as with_changes
from typing import Protocol

from connectors.files import ReadFailure, ReadNote, find_files
from connectors.readers import PageRead, Reader
from schemas.codec import decode
from schemas.errors import TransientError
from schemas.records import Article, DeadLetter
from schemas.topics import DEAD_LETTERS, ENRICHED, Topic
from stream.admin import apply_topics
from stream.config import Config
from stream.deadletter import from_message
from stream.publish import PagePublisher
from stream.stage import Message
from stream.supervisor import Supervisor, worker_commands
from stream.tail import TailOptions, tail

TIMEOUT_S = 90.0
"""For everything after the broker is up; a slow machine needs some 20 s."""

_WORKER_LINES = 12


class DemoView(Protocol):
    """Shows a demo while it runs."""

    def step(self, seconds: float, text: str) -> None:
        """Something was done, so many seconds after the start."""

    def waiting(self) -> None:
        """All is published; the workers are still joining."""

    def article(self, article: Article) -> None:
        """An enriched article arrived."""

    def dead_letter(self, letter: DeadLetter) -> None:
        """A page was refused for good."""

    def failure(self, failure: ReadFailure | ReadNote) -> None:
        """A file could not be read, or something about a folder is worth saying."""


@dataclass(slots=True)
class DemoReport:
    """What became of the pages.

    Attributes:
        published: Ids of the pages that the broker took.
        articles: Ids of the enriched articles that arrived.
        dead: Ids of the pages that became dead letters.
        unreadable: Files or lines that never became a page.
        seconds: From the start to the last arrival.
    """

    published: set[str] = field(default_factory=set)
    articles: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    unreadable: int = 0
    seconds: float = 0.0

    @property
    def is_complete(self) -> bool:
        """Each page came out: as an article, as a dead letter, or (two pages of one id) as both."""
        return self.articles | self.dead == self.published

    def missing(self) -> set[str]:
        """Ids that went in and did not come out."""
        return self.published - self.articles - self.dead


class Demo:
    """One demo against a running broker."""

    def __init__(self, config: Config, view: DemoView, *, environ: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            config: As :func:`stream.broker.embedded_config` makes it for a broker.
            view: Shows what happens.
            environ: Environment of the workers: must give them the same configuration.
        """
        self.report = DemoReport()
        self._config = config
        self._view = view
        self._environ = environ
        self._start_s = time.monotonic()
        self._worker_lines: deque[str] = deque(maxlen=_WORKER_LINES)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Demo, None]:
        """Topics and supervised workers, as long as the block runs."""
        states = await apply_topics(self._config)
        self._step(f"{len(states)} topics")
        commands = [
            with_changes(command, env=self._environ)
            for command in worker_commands({"cleaner": 1, "enricher": 1})
        ]
        async with Supervisor(commands, self._note_worker):
            self._step("workers started: cleaner, enricher (joining takes some seconds)")
            yield self

    async def play(
        self, paths: Sequence[str], reader: Reader, timeout_s: float = TIMEOUT_S
    ) -> DemoReport:
        """Replay the files and wait until all of them came out.

        Raises:
            TransientError: They did not in time; tells what is missing and what the workers said.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._publish(paths, reader)
                await self._watch()
        except TimeoutError as error:
            raise TransientError(self._explanation(timeout_s)) from error
        self.report.seconds = self._seconds()
        return self.report

    async def _publish(self, paths: Sequence[str], reader: Reader) -> None:
        async with PagePublisher(self._config) as publisher:
            for result in reader.read(find_files(paths)):
                if isinstance(result, PageRead):
                    self._fail(await publisher.publish(result))
                else:
                    self._fail([result])
            self._fail(await publisher.drain())
            self.report.published = publisher.ids
        self._step(f"{len(self.report.published)} pages published")
        self._view.waiting()

    def _fail(self, failures: Sequence[ReadFailure | ReadNote]) -> None:
        for failure in failures:
            self.report.unreadable += isinstance(failure, ReadFailure)
            self._view.failure(failure)

    async def _watch(self) -> None:
        """Show what arrives on both topics until everything did."""
        arrivals: asyncio.Queue[tuple[Topic, Message]] = asyncio.Queue()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._follow(topic, arrivals))
                    for topic in (ENRICHED, DEAD_LETTERS)
                ]
                while not self.report.is_complete:
                    self._take(*await arrivals.get())
                for task in tasks:
                    task.cancel()
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors

    async def _follow(self, topic: Topic, arrivals: asyncio.Queue[tuple[Topic, Message]]) -> None:
        async with aclosing(
            tail(self._config.kafka, topic, TailOptions(is_follow=True))
        ) as messages:
            async for message in messages:
                await arrivals.put((topic, message))

    def _take(self, topic: Topic, message: Message) -> None:
        """Count and show; a repeat (delivery is at-least-once) is neither."""
        if topic is DEAD_LETTERS:
            letter = from_message(message)
            if self._is_new((letter.key or b"").decode("ascii", "replace"), self.report.dead):
                self._view.dead_letter(letter)
        elif message.value is not None:
            article = decode(Article, message.value)
            if self._is_new(article.id, self.report.articles):
                self._view.article(article)

    def _is_new(self, article_id: str, known: set[str]) -> bool:
        if article_id in known or article_id not in self.report.published:
            return False
        if not self.report.articles and not self.report.dead:
            self._step("the first page came out")
        known.add(article_id)
        return True

    def _note_worker(self, name: str, line: str) -> None:
        self._worker_lines.append(f"  {name}: {line}")

    def _explanation(self, timeout_s: float) -> str:
        missing = len(self.report.missing())
        said = "\n".join(self._worker_lines) or "  (nothing)"
        return (
            f"after {timeout_s:.0f} s {missing} of {len(self.report.published)} pages "
            "have not come out; is the machine very busy? Try again, or run `nashra up` and look "
            f"at its workers. The last that the workers said:\n{said}"
        )

    def _step(self, text: str) -> None:
        self._view.step(self._seconds(), text)

    def _seconds(self) -> float:
        return time.monotonic() - self._start_s
