"""The asynchronous clients, once from end to end."""

import asyncio

import pytest
from azure.ai.projects.aio import AIProjectClient
from azure.ai.projects.models import PromptAgentDefinition
from azure.core.exceptions import ResourceNotFoundError
from azure.identity.aio import DefaultAzureCredential
from openai import AsyncOpenAI, NotFoundError


def test_the_asynchronous_clients(endpoint, model, agent_name):
    asyncio.run(asyncio.wait_for(conversation_with(endpoint, model, agent_name), timeout=60))


async def conversation_with(endpoint, model, agent_name):
    reference = {"agent_reference": {"type": "agent_reference", "name": agent_name}}
    async with (
        DefaultAzureCredential() as credential,
        AIProjectClient(endpoint=endpoint, credential=credential) as project,
        project.get_openai_client() as openai_client,
    ):
        agent = await project.agents.create_version(
            agent_name=agent_name,
            definition=PromptAgentDefinition(model=model, instructions="You are a helpful assistant."),
        )
        assert agent.version == "1"
        assert agent_name in [each.name async for each in project.agents.list()]
        conversation = await openai_client.conversations.create(
            items=[{"type": "message", "role": "user", "content": "What is the capital of Italy?"}]
        )
        first = await openai_client.responses.create(conversation=conversation.id, extra_body=reference)
        assert "Rome" in first.output_text
        deltas = []
        stream = await openai_client.responses.create(
            conversation=conversation.id, input="And the capital of Spain?", stream=True, extra_body=reference
        )
        async for event in stream:
            if event.type == "response.output_text.delta":
                deltas.append(event.delta)
        assert "Madrid" in "".join(deltas)
        assert len([item async for item in openai_client.conversations.items.list(conversation.id)]) == 4

        together = await asyncio.gather(
            *(openai_client.responses.create(model=model, input=f'Reply with exactly "{n}"') for n in range(8))
        )
        assert [response.output_text for response in together] == [str(n) for n in range(8)]

        await openai_client.conversations.delete(conversation.id)
        await project.agents.delete(agent_name=agent_name)
        with pytest.raises(ResourceNotFoundError):
            await project.agents.get(agent_name=agent_name)
    async with AsyncOpenAI() as client:
        with pytest.raises(NotFoundError):
            await client.conversations.retrieve(conversation.id)
