"""`python -m appliance.services.probe URL...`: exit 0 when one of the addresses answers 200.

For a container's health check: standard library only, so that asking costs next to nothing.
"""

from __future__ import annotations

import http.client
import ssl
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

_WITHIN_S = 3.0


def answers(url: str, *, within_s: float = _WITHIN_S) -> bool:
    """True when a GET of `url` is answered with 200. The certificate is not judged: who asks is
    this machine about itself.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl._create_unverified_context()  # noqa: S323, SLF001 -- loopback, asks for life
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=within_s, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=within_s)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(urls: Sequence[str]) -> int:
    if any(answers(url) for url in urls):
        return 0
    sys.stderr.write(f"tallyman: no answer from {', '.join(urls)}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
