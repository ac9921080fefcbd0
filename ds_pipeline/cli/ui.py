"""The Dagster UI on this machine: what `dagster dev` starts, with the guard before the webserver.

One process serves the UI; the daemon and the code server, which both of them share, are its children and end with it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import dagster as dg
import typer
import uvicorn
from dagster._cli.dev import _optionally_create_temp_workspace
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_shared.cli import WorkspaceOpts
from dagster_shared.serdes import serialize_value
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from ds_pipeline.cli.guard import Guard
from ds_pipeline.defs.instance import dagster_instance
from ds_pipeline.errors import ConfigError
from ds_pipeline.project import Project

HOST = "127.0.0.1"
POLLED = 2000  # milliseconds between two looks of the UI at what is new; Dagster's own default
PATIENCE = 60  # seconds for the daemon to end a run that it is starting


def serve(project: Project, *, port: int) -> int:
    """Serve the UI until Ctrl-C or SIGTERM; 1 if the daemon ends before.

    Raises:
        ConfigError: the port is taken.
    """
    _require_free(port)
    # A shell that starts this in the background has SIGINT ignored, and the children would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    os.environ.pop("DAGSTER_MODULE_NAME", None)  # Dagster takes a workspace or this, and stumbles over both
    configure_loggers(log_level="INFO")
    workspace = WorkspaceOpts(workspace=(str(project.root / "workspace.yaml"),))
    with (
        suppress(KeyboardInterrupt),
        dagster_instance(project) as instance,
        _optionally_create_temp_workspace(
            use_legacy_code_server_behavior=False,
            workspace_opts=workspace,
            instance=instance,
            code_server_log_level="warning",
        ) as (_, shared),
        _daemon(instance, shared) as daemon,
        WorkspaceProcessContext(
            instance, version=__version__, workspace_load_target=WorkspaceFileTarget([shared])
        ) as context,
    ):
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=POLLED)
        server = uvicorn.Server(uvicorn.Config(Guard(app, port=port), host=HOST, port=port, log_level="warning"))
        threading.Thread(target=_end_with, args=(daemon, server), daemon=True).start()
        typer.echo(f"Dagster UI: http://{HOST}:{port}  (Ctrl-C stops it)")
        server.run()
        typer.echo(f"ds-pipeline: Dagster's daemon ended by itself, with code {daemon.wait()}.", err=True)
        return 1
    return 0


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ConfigError(f"port {port}: {error.strerror}. Name another one: make ui PORT=3001") from None


@contextmanager
def _daemon(instance: dg.DagsterInstance, workspace: str) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's daemon: schedules, sensors and the queue of runs. It is told to end, and awaited."""
    command = [sys.executable, "-m", "dagster._daemon", "run", "--workspace", workspace]
    daemon = subprocess.Popen([*command, "--instance-ref", serialize_value(instance.get_ref())])
    try:
        yield daemon
    finally:
        daemon.terminate()
        try:
            daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _end_with(daemon: subprocess.Popen[bytes], server: uvicorn.Server) -> None:
    daemon.wait()
    server.should_exit = True
