"""A container's health check."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from appliance.services.probe import answers


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *args):
        """Quiet."""


@pytest.fixture
def pages() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_alive_is_an_answer_of_200(pages: str):
    assert answers(f"{pages}/livez")
    assert not answers(f"{pages}/elsewhere")


def test_a_silent_port_and_another_protocol_are_no_answer(pages: str, free_port: int):
    assert not answers(f"http://127.0.0.1:{free_port}/livez")
    assert not answers(pages.replace("http:", "https:") + "/livez")


def test_one_answer_of_several_is_enough(pages: str, free_port: int):
    probe = [sys.executable, "-m", "appliance.services.probe"]
    silent = f"http://127.0.0.1:{free_port}/livez"
    assert subprocess.run([*probe, silent, f"{pages}/livez"], check=False).returncode == 0
    lost = subprocess.run([*probe, silent], check=False, capture_output=True, text=True)
    assert lost.returncode == 1
    assert silent in lost.stderr
