"""Ports of this machine."""

import socket


def free_port(host: str, port: int) -> int:
    """This port, or any for 0, if nobody listens there. Raises OSError."""
    with socket_for(host) as probe:
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def socket_for(host: str) -> socket.socket:
    """A socket that may be bound to this host."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    if made.family == socket.AF_INET6:
        # Else IPv4 comes in as well, under addresses that no list of proxies knows.
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # A port that was closed a moment ago is free.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made
