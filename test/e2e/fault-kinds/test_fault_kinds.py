"""What the Python clients make of every kind of fault: ``kinds.json``, by which those for JavaScript go, too."""

import json
import time
from pathlib import Path

import pytest
from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import PromptAgentDefinition
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import DefaultAzureCredential
from openai import APIConnectionError, APIStatusError, OpenAI

KINDS = json.loads(Path(__file__).with_name("kinds.json").read_text())
QUESTION = {"model": "builtin", "input": "Look up the weather in Oslo."}
# A service that is not there: its calls run out of time before they are made.
WEATHER = {
    "type": "openapi",
    "openapi": {
        "name": "weather",
        "auth": {"type": "anonymous"},
        "spec": {
            "openapi": "3.1.0",
            "info": {"title": "Weather", "version": "1"},
            "servers": [{"url": "http://127.0.0.1:9"}],
            "paths": {
                "/weather": {
                    "get": {"operationId": "lookUp", "description": "Look up the weather.", "responses": {"200": {}}}
                }
            },
        },
    },
}


def told_of(output):
    failed = any(item.type == "openapi_call" and item.status == "failed" for item in output)
    return "ok, without the tool" if failed and output[-1].type == "message" else "ok"


def last_of(stream):
    last = None
    try:
        for event in stream:
            last = event.type
    except APIStatusError:
        raise
    except Exception:  # of the connection, or of JSON: the client does not give it a name of its own
        return "broken"
    return {"response.completed": "ok", "response.failed": "failed"}.get(last, f"ends with {last}")


@pytest.fixture(scope="session")
def openai(bloomery_server):
    """Reading the certificates takes longer than asking."""
    with OpenAI(max_retries=2) as client:
        yield client


@pytest.fixture(scope="session")
def credential(bloomery_server):
    with DefaultAzureCredential() as made:
        yield made


@pytest.fixture
def ask_openai(openai, bloomery_project):
    def ask(call, seconds):
        base_url = bloomery_project.environment["OPENAI_BASE_URL"]
        responses = openai.with_options(base_url=base_url, timeout=seconds).responses
        if call == "stream":
            return last_of(responses.create(**QUESTION, stream=True))
        tools = [WEATHER] if call == "tool" else []
        return told_of(responses.create(**QUESTION, tools=tools).output)

    return ask


@pytest.fixture
def ask_azure(credential, bloomery_project):
    def ask(call, seconds):
        options = {"retry_total": 2, "retry_backoff_factor": 0, "read_timeout": seconds}
        with AIProjectClient(bloomery_project.endpoint, credential, **options) as client:
            if call == "list":
                list(client.agents.list())
            else:
                definition = PromptAgentDefinition(model="builtin", instructions="")
                client.agents.create_version(agent_name="made", definition=definition)
        return "ok"

    return ask


def outcome_of(ask, call, seconds):
    try:
        return ask(call, seconds)
    except APIStatusError as error:
        return str(error.status_code)
    except HttpResponseError as error:
        return str(error.status_code)
    except (APIConnectionError, ServiceRequestError, ServiceResponseError):
        return "no answer"


def rows(client):
    for kind in KINDS:
        expected = kind["expect"].get(f"{client}-python", kind["expect"].get(client))
        if expected is not None:
            yield pytest.param(client, kind, expected, id=f"{client} {kind['call']}: {kind['name']}")


@pytest.mark.parametrize(("client", "kind", "expected"), [*rows("openai"), *rows("azure")])
def test_fault(client, kind, expected, bloomery_project, request, monkeypatch):
    # How long clients wait of their own accord is not what this is about.
    monkeypatch.setattr(time, "sleep", lambda _: None)
    bloomery_project.faults(kind["fault"])
    ask = request.getfixturevalue(f"ask_{client}")
    assert outcome_of(ask, kind["call"], kind.get("timeoutMs", 60_000) / 1000) == expected
    assert bloomery_project.struck()
