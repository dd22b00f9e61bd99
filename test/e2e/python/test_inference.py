"""Chat completions, embeddings, models and deployments."""

import math

import pytest
from azure.core.exceptions import ResourceNotFoundError
from openai import BadRequestError, NotFoundError


def test_chat_completions(client, model):
    messages = [
        {"role": "system", "content": "Answer in upper case."},
        {"role": "user", "content": "What is the capital of Italy?"},
    ]
    completion = client.chat.completions.create(model=model, messages=messages, temperature=0)
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.role) == ("stop", "assistant")
    assert "ROME" in choice.message.content
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens

    chunks = list(
        client.chat.completions.create(
            model=model, messages=messages, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == choice.message.content
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], completion.usage.total_tokens)
    assert len({chunk.id for chunk in chunks}) == 1


def test_chat_completions_refused(client, model):
    with pytest.raises(NotFoundError) as missing:
        client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "Hello"}])
    assert (missing.value.code, missing.value.param) == ("DeploymentNotFound", "model")
    with pytest.raises(BadRequestError) as refused:
        client.chat.completions.create(model=model, messages=[])
    assert refused.value.param == "messages"


def test_embeddings(client, model):
    words = ["iron", "steel", "iron"]
    whole = client.embeddings.create(model=model, input=words)
    assert [entry.index for entry in whole.data] == [0, 1, 2]
    iron, steel, again = (entry.embedding for entry in whole.data)
    assert iron == again != steel
    assert math.isclose(math.hypot(*iron), 1, abs_tol=1e-3)
    short = client.embeddings.create(model=model, input="iron", dimensions=64, encoding_format="float")
    assert len(short.data[0].embedding) == 64
    assert short.usage.prompt_tokens > 0


def test_models(client, model):
    listed = {entry.id: entry for entry in client.models.list()}
    assert listed[model].object == "model"
    assert client.models.retrieve(model).to_dict() == listed[model].to_dict()
    with pytest.raises(NotFoundError):
        client.models.retrieve("nobody")


def test_deployments(project, model):
    deployment = project.deployments.get(model)
    assert (deployment.type, deployment.name) == ("ModelDeployment", model)
    assert deployment.model_version and deployment.model_publisher and deployment.sku
    assert model in [each.name for each in project.deployments.list(model_publisher=deployment.model_publisher)]
    assert list(project.deployments.list(model_publisher="Nobody")) == []
    with pytest.raises(ResourceNotFoundError) as missing:
        project.deployments.get("nobody")
    assert missing.value.error.code == "DeploymentNotFound"
