"""The quickstart of the SDK: an agent, a conversation with it, a streamed turn, and everything put away again."""

import pytest
from azure.ai.projects.models import PromptAgentDefinition
from azure.core.exceptions import ResourceNotFoundError
from openai import NotFoundError


def reference(name, version=None):
    return {"agent_reference": {"type": "agent_reference", "name": name, **({"version": version} if version else {})}}


def test_quickstart(project, project_openai, model, agent_name):
    agent = project.agents.create_version(
        agent_name=agent_name,
        definition=PromptAgentDefinition(model=model, instructions="You are a helpful assistant. Answer in upper case."),
    )
    assert (agent.id, agent.name, agent.version) == (f"{agent_name}:1", agent_name, "1")

    conversation = project_openai.conversations.create()
    first = project_openai.responses.create(
        conversation=conversation.id,
        input="What is the size of France in square miles?",
        extra_body=reference(agent_name),
    )
    assert first.status == "completed"
    assert "248,573 SQUARE MILES" in first.output_text
    assert first.conversation.id == conversation.id
    assert first.agent_reference == {"type": "agent_reference", "name": agent_name, "version": "1"}

    second = project_openai.responses.create(
        conversation=conversation.id, input="And what is the capital city?", extra_body=reference(agent_name)
    )
    assert "PARIS" in second.output_text

    with project_openai.responses.create(
        conversation=conversation.id, input="And the capital of Italy?", stream=True, extra_body=reference(agent_name)
    ) as events:
        deltas, last = [], None
        for event in events:
            if event.type == "response.output_text.delta":
                deltas.append(event.delta)
            last = event
    assert last.type == "response.completed"
    assert "".join(deltas) == last.response.output_text
    assert "ROME" in last.response.output_text

    items = list(project_openai.conversations.items.list(conversation.id, order="asc"))
    assert [item.role for item in items] == ["user", "assistant"] * 3

    project_openai.conversations.delete(conversation.id)
    with pytest.raises(NotFoundError):
        project_openai.conversations.retrieve(conversation.id)
    project.agents.delete_version(agent_name=agent_name, agent_version=agent.version)
    with pytest.raises(ResourceNotFoundError):
        project.agents.get(agent_name=agent_name)


def test_each_version_answers_by_its_own_instructions(project, client, model, agent_name, agent_made):
    with agent_made(agent_name, instructions='Always reply with exactly "one".'):
        project.agents.create_version(
            agent_name=agent_name,
            definition=PromptAgentDefinition(model=model, instructions='Always reply with exactly "two".'),
        )

        def said(version=None):
            return client.responses.create(input="Hello", extra_body=reference(agent_name, version)).output_text

        assert (said("1"), said("2"), said()) == ("one", "two", "two")


def test_an_agent_is_reached_through_its_own_endpoint(project, agent_name, agent_made):
    with agent_made(agent_name, instructions='Always reply with exactly "at your service".'):
        with project.get_openai_client(agent_name=agent_name) as openai_client:
            response = openai_client.responses.create(input="Hello")
            assert response.output_text == "at your service"
            assert openai_client.responses.retrieve(response.id).output_text == "at your service"
