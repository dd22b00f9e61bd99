"""A server for the length of a test run, as a process of its own."""

import json
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO

from .admin import BloomeryError
from .project import Server

# `exec` keeps the server for as long as its program runs. This one tells what it was told, and ends with its input,
# which ends with the process that wants the server, however that one ends.
_PROGRAM = """
import json, os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(json.dumps(dict(os.environ)), flush=True)
sys.stdin.read()
"""

_VARIABLES = (
    "FOUNDRY_PROJECT_ENDPOINT",
    "AZURE_AI_PROJECT_ENDPOINT",
    "FOUNDRY_MODEL_NAME",
    "AZURE_AI_MODEL_DEPLOYMENT_NAME",
    "MODEL_DEPLOYMENT_NAME",
    "FOUNDRY_PROJECT_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "AZURE_TOKEN_CREDENTIALS",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NO_PROXY",
    "no_proxy",
)
_KEPT_LINES = 40
_STOP_SECONDS = 20


class RunningServer(Server):
    """Ends with ``stop``, and as well with the process that started it."""

    def __init__(self, environment: Mapping[str, str], process: "subprocess.Popen[str]") -> None:
        super().__init__(environment)
        self._process = process

    def stop(self) -> None:
        """Ends the server and removes its data."""
        _end(self._process)


def start_server(
    command: Sequence[str] = ("npx", "bloomery"), *, config: str | None = None, ready_seconds: float = 60
) -> RunningServer:
    """Starts a throw-away server whose only model is ``builtin``, unless ``config`` names a ``bloomery.yaml``."""
    program, *arguments = command
    options = [] if config is None else ["--config", config]
    stay = [sys.executable, "-I", "-c", _PROGRAM]
    whole = [shutil.which(program) or program, *arguments, "exec", *options, "--", *stay]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(whole, stdin=pipe, stdout=pipe, stderr=pipe, text=True, encoding="utf-8")
    except OSError as failure:
        raise BloomeryError(
            f"{' '.join(command)} can't be run: {failure}. Say how Bloomery is started with --bloomery-command "
            "or BLOOMERY_COMMAND."
        ) from None
    lines: SimpleQueue[str] = SimpleQueue()
    log: deque[str] = deque(maxlen=_KEPT_LINES)
    _follow(process.stdout, lines.put)
    said = _follow(process.stderr, log.append)
    try:
        first = lines.get(timeout=ready_seconds)
    except Empty:
        first = None
    if not first:
        ended = process.poll() is not None or first == ""
        _end(process)
        said.join(timeout=1)
        what = f"ended with exit code {process.returncode}" if ended else f"was not ready within {ready_seconds} s"
        raise BloomeryError(f"The Bloomery server {what}. It said:\n{''.join(log).strip() or '(nothing)'}")
    told = json.loads(first)
    return RunningServer({name: told[name] for name in _VARIABLES}, process)


def _follow(stream: "IO[str] | None", take: Callable[[str], None]) -> Thread:
    """Gives each line to ``take``, and at the end an empty one. A pipe that nobody reads would stop the server."""

    def read() -> None:
        for line in stream or ():
            take(line)
        take("")

    thread = Thread(target=read, daemon=True)
    thread.start()
    return thread


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
