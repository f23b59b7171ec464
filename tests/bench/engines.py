"""One engine at work, as a process: ``python -m tests.bench.engines ENGINE WORK IN OUT BOOTSTRAP``.

ENGINE is ``nashra`` (a worker as it ships), ``aiokafka`` (the plainest loop that loses nothing) or
``quix`` (Quix Streams, at least once); WORK is ``noop`` (decode JSON, add a field, encode) or
``clean`` (the real cleaner). All read the topic IN and write the topic OUT, and commit only what
the broker has acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import CLEAN, MAX_MESSAGE_BYTES, PAGES
from stream.config import Config, KafkaConfig, WorkerConfig
from stream.kafka import client_settings, new_producer
from stream.slot import Work
from stream.stage import Message, Out, Publish, Result, Stage, run_stage
from stream.stages import make_stage
from stream.tail import message_of
from stream.worker import run_stage_worker

BATCH = 200
_POLL_MS = 200


def bench_stage(work: str, source: str, output: str) -> Stage:
    """The work as a stage between two topics of the benchmark, without any memory of repeats."""
    topic_in, topic_out = replace(PAGES, name=source), replace(CLEAN, name=output)
    if work == "noop":
        stage = Stage(name="noop", source=topic_in, outputs=(topic_out,), fn=_noop(output))
    else:
        stage = make_stage("cleaner", "live")
        fn = _redirected(stage.fn, output)
        stage = replace(stage, source=topic_in, outputs=(topic_out,), fn=fn, dedup=None)
    # The name is the consumer group's, so that each run reads from the beginning.
    return replace(stage, name=f"bench-{output}")


def main(argv: Sequence[str]) -> None:
    """Run until killed."""
    engine, work, source, output, bootstrap = argv
    ENGINES[engine](bench_stage(work, source, output), work, KafkaConfig(bootstrap=bootstrap))


def run_nashra(stage: Stage, work: str, kafka: KafkaConfig) -> None:
    """A worker at default settings, pool and all."""
    arguments = {"work": work, "source": stage.source.name, "output": stage.outputs[0].name}
    with tempfile.TemporaryDirectory() as folder:
        config = Config(kafka=kafka, worker=WorkerConfig(dedup_window=0), data_dir=folder)
        factory = "tests.bench.engines:bench_stage"
        run_stage_worker(stage, config, Work(factory=factory, arguments=arguments))


def run_aiokafka(stage: Stage, work: str, kafka: KafkaConfig) -> None:
    """Take up to 200, process, await all acknowledgements, commit."""
    del work
    asyncio.run(_aiokafka_loop(stage, kafka))


async def _aiokafka_loop(stage: Stage, kafka: KafkaConfig) -> None:
    consumer = AIOKafkaConsumer(
        stage.source.name,
        **client_settings(kafka),
        group_id=stage.name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
    producer = new_producer(kafka, client_id="bench")
    await consumer.start()
    await producer.start()
    while True:
        taken = await consumer.getmany(timeout_ms=_POLL_MS, max_records=BATCH)
        sending = [
            await producer.send(
                out.topic.name,
                out.value,
                key=out.key,
                headers=list(out.headers),
                timestamp_ms=out.timestamp_ms,
            )
            for records in taken.values()
            for record in records
            for out in _outs(run_stage(stage, message_of(record)))
        ]
        await asyncio.gather(*sending)
        offsets: dict[TopicPartition, int] = {
            place: records[-1].offset + 1 for place, records in taken.items() if records
        }
        if offsets:
            await consumer.commit(offsets)


def run_quix(stage: Stage, work: str, kafka: KafkaConfig) -> None:
    """Quix Streams at least once, as its documentation shows it, bytes in and out."""
    del work
    from quixstreams import Application

    logging.getLogger("quixstreams").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            kafka.bootstrap,
            consumer_group=stage.name,
            auto_offset_reset="earliest",
            auto_create_topics=False,
            state_dir=folder,
            producer_extra_config={"compression.type": "zstd", "linger.ms": 10},
        )
        source = app.topic(stage.source.name, value_deserializer="bytes")
        output = app.topic(stage.outputs[0].name, value_serializer="bytes")

        def fn(value: bytes, key: bytes, at_ms: int, headers: Any) -> list[bytes]:
            message = Message(
                key=key,
                value=value,
                headers=dict(headers or ()),
                topic=stage.source.name,
                partition=0,
                offset=0,
                timestamp_ms=at_ms,
            )
            return [out.value or b"" for out in _outs(run_stage(stage, message))]

        frame = app.dataframe(source).apply(fn, metadata=True, expand=True).to_topic(output)
        app.run(frame)


ENGINES: dict[str, Callable[[Stage, str, KafkaConfig], None]] = {
    "nashra": run_nashra,
    "aiokafka": run_aiokafka,
    "quix": run_quix,
}


def _noop(output: str) -> Callable[[Message], Result]:
    topic = replace(CLEAN, name=output)

    def fn(message: Message) -> Result:
        record = orjson.loads(message.value or b"{}")
        record["seen"] = True
        value = orjson.dumps(record)
        out = Out(topic=topic, key=message.key, value=value, timestamp_ms=message.timestamp_ms)
        return Publish((out,))

    return fn


def _redirected(fn: Callable[[Message], Result], output: str) -> Callable[[Message], Result]:
    """The same function, whose records go to another topic."""
    topic = replace(CLEAN, name=output)

    def redirected(message: Message) -> Result:
        result = fn(message)
        if not isinstance(result, Publish):
            return result
        return Publish(tuple(replace(out, topic=topic) for out in result.outs))

    return redirected


def _outs(result: Result) -> tuple[Out, ...]:
    return result.outs if isinstance(result, Publish) else ()


if __name__ == "__main__":
    main(sys.argv[1:])
