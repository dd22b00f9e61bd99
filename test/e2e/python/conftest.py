"""The clients as their documentation says to make them; `bloomery exec` sets the variables they read."""

import itertools
import os
from contextlib import contextmanager

import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import PromptAgentDefinition
from azure.identity import DefaultAzureCredential
from openai import OpenAI

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def endpoint():
    return os.environ["FOUNDRY_PROJECT_ENDPOINT"]


@pytest.fixture(scope="session")
def model():
    return os.environ["FOUNDRY_MODEL_NAME"]


@pytest.fixture(scope="session")
def project(endpoint):
    with DefaultAzureCredential() as credential, AIProjectClient(endpoint=endpoint, credential=credential) as client:
        yield client


@pytest.fixture(scope="session")
def project_openai(project):
    """The OpenAI client that the project client makes; it signs in with tokens."""
    with project.get_openai_client() as client:
        yield client


@pytest.fixture(scope="session")
def client():
    """A plain OpenAI client, from OPENAI_BASE_URL and OPENAI_API_KEY. A failure is to be seen at once, not repeated."""
    with OpenAI(max_retries=0) as made:
        yield made


@pytest.fixture
def agent_name():
    return f"agent-{next(_numbers)}"


@pytest.fixture
def agent_made(project, model):
    """Makes an agent for the length of a `with` block."""

    @contextmanager
    def make(name, **definition):
        version = project.agents.create_version(
            agent_name=name, definition=PromptAgentDefinition(model=model, **definition)
        )
        try:
            yield version
        finally:
            project.agents.delete(agent_name=name)

    return make


@pytest.fixture
def conversation(client):
    made = client.conversations.create()
    yield made.id
    client.conversations.delete(made.id)
