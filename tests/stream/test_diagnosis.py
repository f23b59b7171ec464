"""Why a broker cannot be reached: one clear sentence for each way TLS can fail."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from schemas.errors import BrokerError
from stream.config import KafkaConfig
from stream.diagnosis import RefusedError
from stream.kafka import check_broker

NOW = datetime.now(UTC)
DAY = timedelta(days=1)

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a request and close, as Kafka does for one that it cannot read."""
    await reader.read(4)
    writer.close()


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak something that is no TLS."""
    await reader.read(4)
    writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def listening(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int, None]:
    """A server on loopback; gives its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield int(server.sockets[0].getsockname()[1])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def cafile(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


def server_tls(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def over_tls(port: int, cafile: str | None) -> KafkaConfig:
    return KafkaConfig(
        bootstrap=f"127.0.0.1:{port}",
        security_protocol="SSL",
        ssl_cafile=cafile,
        request_timeout_s=5,
    )


async def refused(certificate: trustme.LeafCert, cafile: str | None) -> str:
    """What is said of a broker that shows this certificate."""
    async with listening(hang_up, server_tls(certificate)) as port:
        with pytest.raises(RefusedError) as caught:
            await check_broker(over_tls(port, cafile), wait_s=60)
        assert f"127.0.0.1:{port}" in str(caught.value)
    return str(caught.value)


async def test_a_refusal_is_not_waited_out(authority: trustme.CA, cafile: str) -> None:
    started = time.monotonic()
    await refused(trustme.CA().issue_cert("127.0.0.1"), cafile)
    assert time.monotonic() - started < 30


async def test_an_unknown_authority(cafile: str) -> None:
    said = await refused(trustme.CA().issue_cert("127.0.0.1"), cafile)
    assert f"shows a certificate that {cafile} does not vouch for" in said
    assert "kafka.ssl_cafile must be" in said


async def test_no_authority_set(authority: trustme.CA) -> None:
    said = await refused(authority.issue_cert("127.0.0.1"), None)
    assert "the system's list of authorities does not vouch for" in said


async def test_another_name(authority: trustme.CA, cafile: str) -> None:
    said = await refused(authority.issue_cert("kafka.example"), cafile)
    assert "shows a certificate for another name" in said
    assert "kafka.bootstrap" in said


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (NOW - 2 * DAY, NOW - DAY, "has expired"),
        (NOW + DAY, NOW + 2 * DAY, "is not valid yet"),
    ],
)
async def test_out_of_its_time(
    authority: trustme.CA, cafile: str, start: datetime, end: datetime, words: str
) -> None:
    certificate = authority.issue_cert("127.0.0.1", not_before=start, not_after=end)
    assert words in await refused(certificate, cafile)


async def test_a_port_that_speaks_no_tls(cafile: str) -> None:
    async with listening(talk) as port:
        with pytest.raises(RefusedError, match="speaks no TLS on that port"):
            await check_broker(over_tls(port, cafile))


async def test_who_hangs_up_may_just_be_stopping() -> None:
    async with listening(hang_up) as port:
        with pytest.raises(BrokerError, match="hangs up at once") as caught:
            await check_broker(KafkaConfig(bootstrap=f"127.0.0.1:{port}", request_timeout_s=5))
    assert not isinstance(caught.value, RefusedError)
    assert "PLAINTEXT" in str(caught.value)


async def test_nobody_there_is_no_matter_of_security(cafile: str) -> None:
    async with listening(hang_up) as port:
        pass
    with pytest.raises(BrokerError, match="no answer from the broker") as caught:
        await check_broker(over_tls(port, cafile))
    assert not isinstance(caught.value, RefusedError)
