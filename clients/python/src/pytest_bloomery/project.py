"""A server, and the projects that tests have of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .admin import Admin


class Project:
    """A project of a test's own."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._admin = server.admin
        self._has_faults = False
        self._has_scenarios = False
        self._is_deleted = False
        self.name = name
        self.key = server.key
        self.endpoint = f"{server.endpoint.rpartition('/')[0]}/{name}"
        #: The variables that official clients read, for this project.
        self.environment = {
            **server.environment,
            "FOUNDRY_PROJECT_ENDPOINT": self.endpoint,
            "AZURE_AI_PROJECT_ENDPOINT": self.endpoint,
            "OPENAI_BASE_URL": f"{self.endpoint}/openai/v1",
        }

    def fork(self, name: str | None = None) -> Project:
        """Another project that has all that this one has now. Delete it when it is no longer needed."""
        made = self._admin.request("POST", f"/projects/{self.name}:fork", {"name": name or fresh_name()})
        return Project(self._server, made["name"])

    def reset(self) -> None:
        """Brings it back to what its origin has, or to nothing; ends its faults and scenarios."""
        self.faults()
        self.scenarios()
        self._admin.request("POST", f"/projects/{self.name}:reset", {})

    def faults(self, *faults: Mapping[str, Any], seed: int = 0) -> None:
        """Has these faults strike requests to this project, in the place of those before; none end them."""
        path = f"/fault_plans/{self.name}"
        if faults:
            named = [{"name": f"{fault.get('fault')}-{at}", **fault} for at, fault in enumerate(faults, 1)]
            plan = {"seed": seed, "scope": {"project": self.name}, "faults": named}
            self._admin.request("PUT", path, plan)
        elif self._has_faults:
            self._admin.request("DELETE", path)
        self._has_faults = bool(faults)

    def struck(self) -> list[dict[str, Any]]:
        """The faults that have struck so far, oldest first."""
        fired: list[dict[str, Any]] = self._admin.request("GET", f"/faults?plan={self.name}")["value"]
        return fired

    def scenarios(self, *scenarios: Mapping[str, Any]) -> None:
        """Scripts what the builtin model replies in this project, in the place of what was scripted before."""
        path = f"/scenarios/{self.name}"
        if scenarios:
            self._admin.request("PUT", path, {"scenarios": list(scenarios)})
        elif self._has_scenarios:
            self._admin.request("DELETE", path)
        self._has_scenarios = bool(scenarios)

    def delete(self) -> None:
        """Deletes it with all that is in it."""
        if self._is_deleted:
            return
        self._is_deleted = True
        self.faults()
        self._admin.request("DELETE", f"/projects/{self.name}")

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *_: object) -> None:
        self.delete()


class Server:
    """A server that runs, by the variables that ``bloomery exec`` sets."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        #: Of the default project.
        self.endpoint = environment["FOUNDRY_PROJECT_ENDPOINT"]
        #: A key that may do everything.
        self.key = environment["FOUNDRY_PROJECT_API_KEY"]
        self.admin = Admin(self.endpoint, self.key)

    def project(self, name: str | None = None) -> Project:
        """Makes an empty project, under a name of its own unless one is given."""
        made = self.admin.request("POST", "/projects", {"name": name or fresh_name()})
        return Project(self, made["name"])


def fresh_name() -> str:
    return f"test-{uuid.uuid4()}"
