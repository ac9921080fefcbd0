"""A real browser for tests: pages are opened, asked and listened to by the DevTools protocol."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
EVIL = "evil.example"  # a name that leads to this machine
LISTENING = "DevTools listening on "
REQUEST = "Network.requestWillBeSent"
COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.loadingFailed")


class Tab:
    """One tab of a browser, by the DevTools protocol; keeps everything that the browser complains about."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.numbers = socket, itertools.count(1)
        self.session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        session = {"sessionId": self.session} if self.session else {}
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters} | session))
        while (message := json.loads(self.socket.recv(timeout=60))).get("id") != number:
            self.events.append(message)
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def open(self, url: str) -> None:
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(json.loads(self.socket.recv(timeout=60)))

    def resize(self, width: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)

    def ask(self, script: str) -> Any:
        """The value of an expression in the page; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        until = time.monotonic() + 60
        while not self.ask(script):
            assert time.monotonic() < until, f"never true: {script}"
            time.sleep(0.1)

    def complaints(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("method") in COMPLAINTS]

    def requested(self) -> list[str]:
        sent = [event["params"]["request"]["url"] for event in self.events if event.get("method") == REQUEST]
        return [url for url in sent if not url.startswith("data:")]


@contextmanager
def tab_of_a_browser(folder: Path) -> Iterator[Tab]:
    """A browser that keeps its profile in the folder, and ends with the test; the test is skipped where none is."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed, so no page is opened")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += ["--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}"]
    command += [f"--host-resolver-rules=MAP {EVIL} 127.0.0.1"]
    browser = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace")
    assert browser.stderr is not None
    try:
        address = next((line for line in browser.stderr if line.startswith(LISTENING)), "")
        assert address, "the browser ended before it could be talked to"
        with connect(address.removeprefix(LISTENING).strip(), max_size=None, open_timeout=60) as socket:
            yield Tab(socket)
    finally:
        browser.terminate()
        browser.wait(timeout=30)
