"""``nashra tail``: what is on a topic."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import aclosing, nullcontext, suppress
from typing import TYPE_CHECKING

import click
import orjson

from schemas import codec
from schemas.errors import DecodeError
from schemas.records import Article, CleanArticle, DeadLetter
from stream.cli.common import (
    Settings,
    bootstrap_option,
    examples,
    pass_settings,
    run_async,
    stdout,
)
from stream.cli.reading import now

if TYPE_CHECKING:
    from rich.console import RenderableType

    from schemas.topics import Topic
    from stream.config import KafkaConfig
    from stream.stage import Message
    from stream.tail import TailOptions


@click.command(
    epilog=examples(
        "nashra tail enriched",
        "nashra tail enriched --since 2h --json | jq .headline",
        "nashra tail dead-letters --follow",
    )
)
@click.argument("topic")
@click.option(
    "--since", metavar="TIME", help="Only from then: 2h, 30m, 3d ago, or an ISO 8601 time."
)
@click.option("--max", "max_records", type=click.IntRange(min=1), metavar="N", help="At most N.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a line, nothing else.")
@click.option("--follow", is_flag=True, help="Wait for new records until Ctrl-C.")
@bootstrap_option
@pass_settings
def tail(settings: Settings, /, topic: str, bootstrap: str | None, **options: object) -> None:
    """Print the records of a topic: all that are kept, and then the end unless with --follow.

    TOPIC is a full name or a short one (enriched, dead-letters, pages ...). Reads without a
    consumer group: no worker notices, nothing is committed.
    """
    from stream.tail import TailOptions, parse_since, topic_named

    since = options["since"]
    wanted = TailOptions(
        since=None if since is None else parse_since(str(since), now()),
        max_records=options["max_records"],  # type: ignore[arg-type]  # click's IntRange
        is_follow=bool(options["follow"]),
    )
    found = topic_named(topic)
    kafka = settings.config(bootstrap).kafka
    work = _tail(kafka, found, wanted, is_json=bool(options["is_json"]))
    with suppress(KeyboardInterrupt) if wanted.is_follow else nullcontext():
        run_async(work)


async def _tail(kafka: KafkaConfig, topic: Topic, wanted: TailOptions, *, is_json: bool) -> None:
    from stream.tail import tail as records_of

    out = stdout()
    async with aclosing(records_of(kafka, topic, wanted)) as messages:
        async for message in messages:
            if is_json:
                sys.stdout.buffer.write(json_line(topic, message) + b"\n")
            else:
                for line in text_lines(topic, message, is_card=out.is_terminal):
                    out.print(line)
            sys.stdout.flush()


def json_line(topic: Topic, message: Message) -> bytes:
    """The value as it stands; a dead letter as its decoded view; trouble as an object."""
    try:
        if topic.record is DeadLetter:
            from stream.deadletter import from_message

            return codec.encode(from_message(message))
    except DecodeError as error:
        return codec.encode({"key": _key(message), "error": str(error)})
    if message.value is None:
        return codec.encode({"key": _key(message), "tombstone": True})
    try:
        orjson.loads(message.value)
    except orjson.JSONDecodeError as error:
        # Each line must be JSON, or one bad record ends the reader's own program.
        value = base64.b64encode(message.value).decode("ascii")
        return codec.encode({"key": _key(message), "error": str(error), "value_base64": value})
    return message.value.replace(b"\n", b" ")


def text_lines(topic: Topic, message: Message, *, is_card: bool) -> Iterator[RenderableType]:
    """A record for people: a card where there is room for one, else one line."""
    from rich.text import Text

    try:
        record = decoded(topic, message)
    except DecodeError as error:
        yield Text(f"undecodable {_place(message)}: {error}")
        return
    yield from record_lines(record, is_card=is_card) or [Text(_plain(message))]


def decoded(topic: Topic, message: Message) -> object:
    """The record of a message; ``None``: a tombstone.

    Raises:
        DecodeError: It is no such record.
    """
    if topic.record is DeadLetter:
        from stream.deadletter import from_message

        return from_message(message)
    return None if message.value is None else codec.decode(topic.record, message.value)


def record_lines(record: object, *, is_card: bool) -> list[RenderableType]:
    """Lines of an article or a dead letter; nothing for other records."""
    from stream import view

    match record:
        case Article():
            return list(view.article_card(record)) if is_card else [view.article_line(record)]
        case CleanArticle():
            return [view.clean_line(record)]
        case DeadLetter():
            if is_card:
                return list(view.dead_letter_card(record))
            return [view.dead_letter_line(record)]
        case _:
            return []


def _plain(message: Message) -> str:
    """Other records: where it stands and how it begins."""
    value = (message.value or b"(tombstone)")[:400].decode("utf-8", "replace")
    return f"{_place(message)} key={_key(message)} {value}"


def _place(message: Message) -> str:
    return f"{message.topic}[{message.partition}]@{message.offset}"


def _key(message: Message) -> str | None:
    return None if message.key is None else message.key.decode("utf-8", "replace")
