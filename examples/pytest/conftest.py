import pytest
from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential
from order_desk import make_agent


@pytest.fixture(scope="session")
def bloomery_origin(bloomery_server):
    """Each test has a fork of this project: with the agent, and without what the others do to it."""
    with bloomery_server.project() as origin, AIProjectClient(origin.endpoint, DefaultAzureCredential()) as client:
        make_agent(client, "builtin")
        yield origin


@pytest.fixture
def foundry(bloomery_project):
    with AIProjectClient(bloomery_project.endpoint, DefaultAzureCredential()) as client:
        yield client
