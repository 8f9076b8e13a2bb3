"""One page on a server of this machine, for this machine alone."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lca_core.errors import InputError

HOST = "127.0.0.1"  # nobody else's machine can ask
_GLANCE = 0.5  # seconds


@contextmanager
def served(page: str, port: int = 0) -> Iterator[str]:
    """Yield the address at which a page (HTML) is to be had meanwhile.

    Nothing else is: no file, no folder. port: 0 takes one that is free. InputError where the port is taken.
    """
    content = page.encode("utf-8")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(True)

        def do_HEAD(self) -> None:
            self._answer(False)

        def _answer(self, whole: bool) -> None:
            if self.path != "/":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")  # the next avatar may have the same address
            self.end_headers()
            if whole:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        raise InputError(
            f"port {port} cannot be used ({error.strerror or error}); leave it out or give another"
        ) from error
    server.daemon_threads = True
    listening = threading.Thread(target=server.serve_forever, daemon=True)
    listening.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        listening.join()


@contextmanager
def until_ended() -> Iterator[Callable[[], None]]:
    """Yield what waits for Ctrl-C or SIGTERM: from here on neither is missed, also where whoever started this process
    has it ignore Ctrl-C."""
    ended = threading.Event()

    def wait() -> None:
        while not ended.wait(_GLANCE):  # Windows lets no signal through to a thread that waits for ever
            pass

    before = {which: signal.signal(which, lambda *_: ended.set()) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wait
    finally:
        for which, handler in before.items():
            signal.signal(which, handler)
