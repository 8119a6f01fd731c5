"""Why there is no connection over SSH, and what to do about it, in words. Pure."""

import socket

import asyncssh


def why_not(host: str, error: Exception, patience_s: float) -> str:
    """Why there is no connection to *host*, that did not come within *patience_s* seconds if it is late."""
    match error:
        case socket.gaierror():
            return (
                f"the name {host!r} is not known; correct the host of the resource, or your SSH configuration"
            )
        case ConnectionRefusedError():
            return f"{host!r} refuses connections; its SSH server may be down, or on another port"
        case TimeoutError():
            return f"{host!r} gave no answer within {patience_s:g} s; is this machine in the right network"
        case FileNotFoundError():
            return f"the ProxyCommand for {host!r} can't be started: there is no {error.filename!r}"
        case OSError():
            return f"{host!r} can't be reached: {error.strerror or error}"
        case asyncssh.ChannelOpenError():
            return f"the host on the way can't reach {host!r}: {error.reason}"
        case asyncssh.ConnectionLost():
            return f"{host!r} closed the line before we were logged in; it may be overloaded, or block us"
        case asyncssh.Error():
            return f"{host!r} can't be logged in to: {error.reason}"
    return f"{host!r} can't be logged in to: {error}"


def not_let_in(host: str, user: str, key: str) -> str:
    """What to say where all our keys were refused."""
    return (
        f"{host!r} does not let {user!r} in with the key {key!r}; the public half of the key must be "
        f"in the file .ssh/authorized_keys of {user!r} there"
    )
