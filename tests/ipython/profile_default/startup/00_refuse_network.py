"""Refuse every connection that leaves the machine; IPython runs this first in each kernel that the tests start.

A chapter reads files and simulates; one that reaches for the network would work for its author and fail in a classroom.
The kernel itself talks to its client through ZeroMQ, which does not pass through Python's sockets.
"""

import ipaddress
import socket


class NetworkRefused(RuntimeError):
    """No subclass of OSError: code that falls back quietly when a download fails must not hide the attempt."""


def _is_local(host):
    if host in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refusing(original, host_of):
    def call(*arguments, **options):
        host = host_of(*arguments, **options)
        if not _is_local(host):
            raise NetworkRefused(f"network: a notebook under test must not reach {host!r}; read a local file instead.")
        return original(*arguments, **options)

    return call


def _host_of_socket_call(sock, *arguments):
    """connect and connect_ex take the address, sendto takes it last; only internet sockets have a host."""
    internet = sock.family in (socket.AF_INET, socket.AF_INET6)
    return arguments[-1][0] if internet and isinstance(arguments[-1], tuple) else None


def _text(host, *_, **__):
    return host.decode() if isinstance(host, bytes) else host


for _name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, _name, _refusing(getattr(socket.socket, _name), _host_of_socket_call))
socket.create_connection = _refusing(socket.create_connection, lambda address, *_, **__: address[0])
for _name in ("getaddrinfo", "gethostbyname"):
    setattr(socket, _name, _refusing(getattr(socket, _name), _text))
