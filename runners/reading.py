"""What runners read for whoever holds them: logs in pieces, and whole files."""

from collections.abc import Sequence

from runners.batches import LogChunk, RunnerError
from runners.transport.base import Piece, Transport, TransportError


async def read_log(transport: Transport, path: str, offset: int, limit: int) -> LogChunk:
    """See :meth:`runners.base.BaseRunner.read_log`."""
    try:
        (part,) = await transport.read([Piece(path, offset, limit)])
    except TransportError as error:
        raise RunnerError(f"The log can't be shown: {error}.") from error
    if part is None:
        return LogChunk(b"", 0, 0)
    if part.trouble:
        raise RunnerError(f"The log can't be shown: {part.trouble}.")
    return LogChunk(part.data, part.offset, part.size)


async def fetch(transport: Transport, paths: Sequence[str], limit: int) -> Sequence[bytes | None]:
    """See :meth:`runners.base.BaseRunner.fetch`."""
    try:
        return await transport.fetch(paths, limit)
    except TransportError as error:
        raise RunnerError(f"Files can't be fetched: {error}.") from error
