"""The proxy that tests of lines rely on."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.lab.proxy import Proxy
from tests.waiting import until


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """The port of a server that says everything back, and ends when its client does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_bytes_and_round_trips_are_counted(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        for _ in range(3):
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        assert (proxy.connections, proxy.bytes, proxy.round_trips) == (1, {"up": 15, "down": 15}, 3)
        proxy.reset()
        writer.write(b"!")
        await reader.readexactly(1)
        assert (proxy.connections, proxy.bytes, proxy.round_trips) == (0, {"up": 1, "down": 1}, 1)
        writer.close()


async def test_a_round_trip_takes_the_delay_and_much_data_takes_it_once(echo: int) -> None:
    much = bytes(1_000_000)
    async with Proxy(echo, round_trip_s=0.1) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        began = time.monotonic()
        writer.write(much)
        assert await reader.readexactly(len(much)) == much
        assert 0.1 <= time.monotonic() - began < 0.5
        writer.close()


async def test_an_end_of_one_direction_is_passed_on(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"last words")
        writer.write_eof()
        assert await reader.read() == b"last words"
        writer.close()


async def test_it_cuts_after_so_many_bytes_once(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.cut_after(7, "down")
        writer.write(b"0123")
        assert await reader.readexactly(4) == b"0123"
        writer.write(b"456789")
        assert await _rest(reader) == b"456"
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"0123456789")
        assert await reader.readexactly(10) == b"0123456789"
        writer.close()


async def test_it_cuts_all_connections(echo: int) -> None:
    async with Proxy(echo) as proxy:
        lines = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(2)]
        await until(lambda: proxy.connections == 2)
        proxy.cut()
        for reader, writer in lines:
            assert await _rest(reader) == b""
            writer.close()


async def test_stalled_bytes_arrive_later(echo: int) -> None:
    async with Proxy(echo) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        proxy.stall()
        writer.write(b"x")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        proxy.flow()
        assert await reader.readexactly(1) == b"x"
        writer.close()


async def test_it_refuses_and_accepts_again_on_the_same_port(echo: int) -> None:
    async with Proxy(echo) as proxy:
        port = proxy.port
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await proxy.accept()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        writer.close()


async def test_a_server_that_is_not_there_ends_the_connection() -> None:
    gone = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = gone.sockets[0].getsockname()[1]
    gone.close()
    await gone.wait_closed()
    async with Proxy(port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await _rest(reader) == b""
        writer.close()


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends, however that ends."""
    came = b""
    try:
        while data := await asyncio.wait_for(reader.read(1024), 5):
            came += data
    except ConnectionError:
        pass
    return came
