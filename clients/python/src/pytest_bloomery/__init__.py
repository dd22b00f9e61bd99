"""Tests against the Microsoft Foundry project API: a Bloomery server for the run, a project for each test."""

from .admin import BloomeryError
from .process import RunningServer, start_server
from .project import Project, Server

__all__ = ["BloomeryError", "Project", "RunningServer", "Server", "start_server"]
