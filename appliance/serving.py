"""One process's HTTP servers and background jobs, started together and ended together.

SIGTERM and SIGINT end them in order: servers stop listening and end, open streams after two seconds
at most; meanwhile what was begun may be finished (`finish`), for two seconds too; then jobs are
cancelled, and whatever was opened is closed by its context. A job that fails ends the process with its
error; the supervisor (ours, systemd, Kubernetes) starts it again. A side job, which the work at the dock
does not need, is begun again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

from appliance.accounts.bind_guard import check_bind
from appliance.config import host_port
from contracts.errors import BadInputError, UnavailableError

_GRACE_S = 2
_AGAIN_S = 60.0
_MOST_WS_BYTES = (1 << 20) + 8192
log = structlog.get_logger()


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set, in place of ending the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files of a server. `clients`: of the authority that must have certified every client; None
    asks none for a certificate.
    """

    certificate: Path
    key: Path
    clients: Path | None = None


class _Server(uvicorn.Server):
    """Signals belong to Serving: several servers share one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Serving:
    """Collect servers and jobs, then `run()` until a signal comes or a job fails."""

    def __init__(self) -> None:
        self._servers: list[_Server] = []
        self._jobs: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._finishing: list[Callable[[], Awaitable[None]]] = []

    def http(
        self, app: ASGIApp, listen: str, *, where: str, tls: Tls | None = None, public: bool = False
    ) -> None:
        """Serve `app` on HOST:PORT. Raises BadInputError for an address that is not safe. `public`:
        nobody signs in there and nothing is secret, so that it needs no TLS.
        """
        host, port = host_port(listen, where)
        check_bind(host, tls=tls is not None or public)
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_GRACE_S,
            timeout_keep_alive=75,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
            ssl_ca_certs=str(tls.clients) if tls and tls.clients else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if tls and tls.clients else ssl.CERT_NONE,
            # Whoever connects is who they are: a header must not say otherwise.
            proxy_headers=False,
            # Pictures of codes: small, one at a time, and nothing in them that deflates.
            ws_max_size=_MOST_WS_BYTES,
            ws_max_queue=4,
            ws_per_message_deflate=False,
        )
        self._servers.append(_Server(config))

    def show_certificates(self) -> None:
        """Read each TLS server's files again: connections from now on see a renewed certificate.

        Raises BadInputError for files that do not fit each other; the one before is shown on.
        """
        for server in self._servers:
            config = server.config
            if isinstance(config.ssl, ssl.SSLContext) and config.ssl_certfile:
                try:
                    # Tried apart: a context keeps the half of what it could not take whole.
                    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                        config.ssl_certfile, config.ssl_keyfile
                    )
                    config.ssl.load_cert_chain(config.ssl_certfile, config.ssl_keyfile)
                except (OSError, ssl.SSLError) as error:
                    raise BadInputError(
                        f"{config.ssl_certfile} and {config.ssl_keyfile} make no server: {error}",
                        mend="Put certificate and key there together; the one before is in use",
                    ) from error

    def job(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until the process ends; when it raises, the process ends with it."""
        self._jobs.append((name, work))

    def side_job(
        self, name: str, work: Callable[[], Awaitable[None]], *, again_s: float = _AGAIN_S
    ) -> None:
        """As `job`, but when it raises, that is told and `work` begins anew after `again_s` seconds:
        nothing that the dock waits for may end with it.
        """
        self._jobs.append((name, lambda: _again_and_again(name, work, again_s)))

    def finish(self, wait: Callable[[], Awaitable[None]]) -> None:
        """Before jobs are cancelled, wait for `wait` (a carton that is being judged), 2 s at most."""
        self._finishing.append(wait)

    async def run(self) -> None:
        """Raises what a job raised, and UnavailableError when an address is taken."""
        stop = stop_signal()
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(self._serve(server)) for server in self._servers
        ]
        tasks += [asyncio.create_task(self._do(name, work)) for name, work in self._jobs]
        stopping: asyncio.Task[object] = asyncio.create_task(stop.wait())
        waited: set[asyncio.Task[object]] = {stopping, *tasks}
        try:
            done, _ = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for server in self._servers:
                server.should_exit = True
            await self._finish(tasks[: len(self._servers)])
            for task in tasks[len(self._servers) :]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            stopping.cancel()
        for ended in done - {stopping}:
            ended.result()

    async def _finish(self, serving: Sequence[asyncio.Task[None]]) -> None:
        begun = [asyncio.ensure_future(wait()) for wait in self._finishing]
        if begun or serving:
            await asyncio.wait([*begun, *serving], timeout=_GRACE_S)
        for wait in begun:
            wait.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    async def _serve(self, server: _Server) -> None:
        try:
            await server.serve()
        except SystemExit as error:
            address = f"{server.config.host}:{server.config.port}"
            raise UnavailableError(
                f"Cannot listen on {address}",
                mend="Another program uses that port: free it or set another address",
            ) from error

    @staticmethod
    async def _do(name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a job of this process failed", job=name)
            raise
        # A job that is done (a replay at its end) does not end the process.
        await asyncio.Event().wait()


async def _again_and_again(name: str, work: Callable[[], Awaitable[None]], again_s: float) -> None:
    while True:
        try:
            await work()
        except Exception:
            log.exception("a side job failed and is begun again", job=name, again_s=again_s)
        else:
            return
        await asyncio.sleep(again_s)
