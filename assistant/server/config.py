"""How the server is to run, and which names and origins that lets in."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, field

from assistant.errors import BadRequest

PORT = 8765
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_NAME = re.compile(r"[a-z0-9._-]+")
_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?")
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """What `assistant serve` was told; build it with `checked` where the texts are a user's."""

    host: str = "127.0.0.1"
    port: int = PORT
    """0 for any free one."""
    token: str = field(default="", repr=False)
    """"" where none is demanded."""
    origins: tuple[str, ...] = ()
    """Other origins whose pages may call the API, such as `https://app.example`."""
    hosts: tuple[str, ...] = ()
    """Further names under which the server is reached, without a port."""
    log_questions: bool = False
    body_seconds: float = 10.0
    """In which the body of a request must have arrived."""


def checked(config: ServerConfig) -> ServerConfig:
    """The same with names in lower case; BadRequest for what cannot be meant, and for an open address without a
    token."""
    hosts = tuple(name.lower() for name in config.hosts)
    for name in hosts:
        if not _NAME.fullmatch(name):
            raise BadRequest(f"--allow-host {name} is no name of a host.", "Write it as in notes.example.org.")
    origins = tuple(origin.lower() for origin in config.origins)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise BadRequest(f"--allow-origin {origin} is no origin.", "Write it as in https://app.example.org.")
    if config.token and not _TOKEN.fullmatch(config.token):
        raise BadRequest("A token has printable ASCII characters and no blanks.", "Make one: openssl rand -hex 32")
    if not config.token and not is_loopback(config.host):
        raise BadRequest(
            f"The address {config.host} can be reached from other machines, so a token is demanded.",
            "Set ASSISTANT_TOKEN, for example to the output of `openssl rand -hex 32`.",
        )
    return ServerConfig(
        config.host, config.port, config.token, origins, hosts, config.log_questions, config.body_seconds
    )


def is_loopback(host: str) -> bool:
    """Whether every address of that name is of this machine alone; False for a name without addresses."""
    addresses = [ipaddress.ip_address(address) for _, address in resolved(host)]
    return bool(addresses) and all(address.is_loopback for address in addresses)


def resolved(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Families and addresses of a host to listen on, best first; nothing for an empty or an unknown name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except (OSError, UnicodeError):
        return []
    return [(family, str(address[0])) for family, _, _, _, address in found]


class AllowedHosts:
    """The names by which a request may call the server: a page of another name that resolves to this address is not
    let in (DNS rebinding)."""

    def __init__(self, config: ServerConfig) -> None:
        self._open = not is_loopback(config.host)
        own = (config.host.lower(), socket.gethostname().lower()) if self._open else ()
        self._names = frozenset(("localhost", *config.hosts, *own))

    def allow(self, header: str) -> bool:
        """Whether a Host header names this server; the port may be that of a proxy or a tunnel."""
        parts = _HOST.fullmatch(header.lower())
        if parts is None:
            return False
        name = parts["name"]
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        # A page's origin is a name, so no rebinding makes it an address.
        return address.is_loopback or self._open


def own_origin(origin: str, host: str) -> bool:
    """Whether an Origin header is that of the page which this server gave under this Host header; https where a proxy
    adds TLS."""
    scheme, _, place = origin.lower().partition("://")
    return scheme in ("http", "https") and place == host.lower()
