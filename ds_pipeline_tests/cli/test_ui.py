"""What stops the UI before it starts; that it serves, refuses and ends is in journeys/test_ui.py."""

from __future__ import annotations

import socket

import pytest

from ds_pipeline.cli.ui import serve
from ds_pipeline.errors import ConfigError
from ds_pipeline.workbench import Workbench


def test_a_port_that_is_taken_is_named(bench: Workbench) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigError, match=f"port {port}: Address already in use. Name another one: make ui PORT="):
            serve(bench.project, port=port)
