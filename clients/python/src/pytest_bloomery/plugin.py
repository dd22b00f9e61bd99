"""The fixtures."""

import os
import shlex
from collections.abc import Iterator, Mapping

import pytest

from .process import RunningServer, start_server
from .project import Project


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("bloomery")
    group.addoption(
        "--bloomery-command",
        default=os.environ.get("BLOOMERY_COMMAND", "npx bloomery"),
        help="how Bloomery is started; BLOOMERY_COMMAND, or `npx bloomery`, unless given",
    )
    group.addoption("--bloomery-config", help="a bloomery.yaml for the server; without it the only model is `builtin`")


@pytest.fixture(scope="session")
def bloomery_server(pytestconfig: pytest.Config) -> Iterator[RunningServer]:
    """A server for the run, which clients find through their usual variables; with pytest-xdist one for each worker."""
    command = shlex.split(pytestconfig.getoption("--bloomery-command"), posix=os.name != "nt")
    server = start_server(command, config=pytestconfig.getoption("--bloomery-config"))
    try:
        with pytest.MonkeyPatch.context() as patch:
            _set(patch, server.environment)
            yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def bloomery_origin() -> Project | None:
    """What each test's project is a fork of. Override it with a fixture that makes a project and fills it."""
    return None


@pytest.fixture
def bloomery_project(
    bloomery_server: RunningServer, bloomery_origin: Project | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project for this test, which clients made in it find."""
    project = bloomery_server.project() if bloomery_origin is None else bloomery_origin.fork()
    with project:
        _set(monkeypatch, project.environment)
        yield project


def _set(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        patch.setenv(name, value)
