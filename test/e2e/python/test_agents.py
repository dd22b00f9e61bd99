"""Agents and their versions, through the project client."""

import pytest
from azure.ai.projects.models import (
    AgentEndpointConfig,
    FixedRatioVersionSelectionRule,
    PromptAgentDefinition,
    VersionSelector,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from openai import PermissionDeniedError


def test_listing_pages_through_sixty_agents(project, model):
    names = [f"crowd-{number:02}" for number in range(60)]
    for name in names:
        project.agents.create_version(agent_name=name, definition=PromptAgentDefinition(model=model))
    try:
        crowd = [agent.name for agent in project.agents.list() if agent.name.startswith("crowd-")]
        assert crowd == names[::-1], "newest first, each once"
        ascending = [agent.name for agent in project.agents.list(order="asc", limit=7)]
        assert [name for name in ascending if name in names] == names
        assert {agent.versions.latest.definition.kind for agent in project.agents.list(kind="prompt")} == {"prompt"}
        assert list(project.agents.list(kind="hosted")) == []
        pages = project.agents.list(limit=25).by_page()
        assert len(list(next(pages))) == 25
    finally:
        # While being listed, so that cursors outlive what they name.
        for agent in project.agents.list(limit=11):
            if agent.name in names:
                project.agents.delete(agent_name=agent.name)
    assert not {agent.name for agent in project.agents.list()} & set(names)


def test_versions(project, model, agent_name):
    first = project.agents.create_version(
        agent_name=agent_name,
        definition=PromptAgentDefinition(model=model, instructions="One.", temperature=0.5),
        description="The first",
        metadata={"team": "iron"},
    )
    assert (first.description, first.metadata) == ("The first", {"team": "iron"})
    assert (first.definition.instructions, first.definition.temperature) == ("One.", 0.5)
    assert first.created_at.year >= 2024
    for instructions in ("Two.", "Two.", "Four."):
        project.agents.create_version(
            agent_name=agent_name, definition=PromptAgentDefinition(model=model, instructions=instructions)
        )
    listed = list(project.agents.list_versions(agent_name=agent_name, limit=3))
    assert [version.version for version in listed] == ["4", "3", "2", "1"]
    assert project.agents.get_version(agent_name=agent_name, agent_version="2").definition.instructions == "Two."
    assert project.agents.get(agent_name=agent_name).versions.latest.version == "4"

    gone = project.agents.delete_version(agent_name=agent_name, agent_version="4")
    assert (gone.name, gone.version, gone.deleted) == (agent_name, "4", True)
    assert project.agents.get(agent_name=agent_name).versions.latest.version == "3"
    with pytest.raises(ResourceNotFoundError):
        project.agents.get_version(agent_name=agent_name, agent_version="4")
    later = project.agents.create_version(agent_name=agent_name, definition=PromptAgentDefinition(model=model))
    assert later.version == "5", "numbers are not given twice"

    deleted = project.agents.delete(agent_name=agent_name)
    assert (deleted.name, deleted.deleted) == (agent_name, True)
    with pytest.raises(ResourceNotFoundError):
        project.agents.get(agent_name=agent_name)


def test_disabled_agents_take_no_requests(project, client, agent_name, agent_made):
    reference = {"agent_reference": {"type": "agent_reference", "name": agent_name}}
    with agent_made(agent_name):
        project.agents.disable(agent_name=agent_name)
        project.agents.disable(agent_name=agent_name)
        assert project.agents.get(agent_name=agent_name).state == "disabled"
        with pytest.raises(PermissionDeniedError) as refused:
            client.responses.create(input="Hello", extra_body=reference)
        assert refused.value.code == "agent_disabled"
        project.agents.enable(agent_name=agent_name)
        assert project.agents.get(agent_name=agent_name).state == "enabled"
        assert client.responses.create(input="Hello", extra_body=reference).status == "completed"


def test_the_endpoint_routes_to_the_version_of_its_rules(project, model, agent_name, agent_made):
    with agent_made(agent_name, instructions='Always reply with exactly "one".'):
        project.agents.create_version(
            agent_name=agent_name,
            definition=PromptAgentDefinition(model=model, instructions='Always reply with exactly "two".'),
        )
        before = project.agents.get(agent_name=agent_name).agent_endpoint

        def said():
            with project.get_openai_client(agent_name=agent_name) as openai_client:
                return openai_client.responses.create(input="Hello").output_text

        assert said() == "two"
        rule = FixedRatioVersionSelectionRule(agent_version="1", traffic_percentage=100)
        pinned = AgentEndpointConfig(version_selector=VersionSelector(version_selection_rules=[rule]))
        project.agents.update_details(agent_name=agent_name, agent_endpoint=pinned)
        assert said() == "one"
        project.agents.update_details(agent_name=agent_name, agent_endpoint=before)
        assert said() == "two"


def test_an_unknown_agent(project):
    for call in (
        lambda: project.agents.get(agent_name="nobody"),
        lambda: project.agents.delete(agent_name="nobody"),
        lambda: project.agents.enable(agent_name="nobody"),
        lambda: list(project.agents.list_versions(agent_name="nobody")),
    ):
        with pytest.raises(ResourceNotFoundError) as missing:
            call()
        assert missing.value.status_code == 404
        assert missing.value.error.code == "not_found"
        assert "nobody" in missing.value.error.message
        assert missing.value.response.headers["x-request-id"]


@pytest.mark.parametrize("name", ["-starts-with-hyphen", "has space", "under_score", "a" * 64])
def test_a_bad_name(project, model, name):
    with pytest.raises(HttpResponseError) as refused:
        project.agents.create_version(agent_name=name, definition=PromptAgentDefinition(model=model))
    assert refused.value.status_code == 400
    assert refused.value.error.code == "invalid_parameter"
    assert refused.value.error.target == "agent_name"
    assert refused.value.model.error.param == "agent_name", "the SDK's own error model reads `param`"


def test_a_bad_definition_names_its_field(project, model, agent_name):
    with pytest.raises(HttpResponseError) as refused:
        project.agents.create_version(
            agent_name=agent_name, definition=PromptAgentDefinition(model=model, temperature=9)
        )
    assert refused.value.status_code == 400
    assert refused.value.error.target == "definition.temperature"
    with pytest.raises(ResourceNotFoundError):
        project.agents.get(agent_name=agent_name)


def test_a_workflow_agent_needs_its_preview_key(project, agent_name):
    with pytest.raises(HttpResponseError) as refused:
        project.agents.create_version(
            agent_name=agent_name, body={"definition": {"kind": "workflow", "workflow": "kind: workflow"}}
        )
    assert refused.value.status_code == 403
    assert refused.value.model.error.code == "preview_feature_required"
    assert "allow_preview=True" in refused.value.message, "the SDK adds its hint when it knows the code"
