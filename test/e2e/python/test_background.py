"""Responses that nobody waits for: polled, streamed from anywhere, cancelled, cut short."""

import time

import pytest
from openai import BadRequestError, ConflictError


def finished(client, response_id):
    while True:
        response = client.responses.retrieve(response_id)
        if response.status not in ("queued", "in_progress"):
            return response
        time.sleep(0.02)


def test_a_background_response_is_polled(client, model):
    queued = client.responses.create(model=model, input="Count to 5.", background=True)
    assert (queued.status, queued.background) == ("queued", True)
    done = finished(client, queued.id)
    assert (done.status, done.output_text) == ("completed", "1 2 3 4 5")


def test_a_background_stream_is_taken_up_again(client, model):
    seen = []
    with client.responses.create(model=model, input="Count to 200.", background=True, stream=True) as stream:
        for event in stream:
            if event.type == "response.created":
                response_id = event.response.id
            seen.append(event.sequence_number)
            if len(seen) == 15:
                break
    last = None
    for event in client.responses.retrieve(response_id, stream=True, starting_after=seen[-1]):
        seen.append(event.sequence_number)
        last = event
    assert seen == list(range(len(seen)))
    assert last.type == "response.completed"
    assert last.response.output_text.split()[-1] == "200"


def test_what_cannot_be_cancelled(client, model):
    waited = client.responses.create(model=model, input="Say hello.")
    with pytest.raises(BadRequestError) as refused:
        client.responses.cancel(waited.id)
    assert refused.value.code == "not_cancellable"
    done = finished(client, client.responses.create(model=model, input="Say hello.", background=True).id)
    with pytest.raises(ConflictError):
        client.responses.cancel(done.id)
    with pytest.raises(BadRequestError) as unkept:
        client.responses.create(model=model, input="Say hello.", background=True, store=False)
    assert unkept.value.param == "background"


def test_a_stream_is_not_read_beyond_its_end(client, model):
    made = client.responses.create(model=model, input="Say hello.")
    with pytest.raises(BadRequestError) as beyond:
        list(client.responses.retrieve(made.id, stream=True, starting_after=1000))
    assert beyond.value.param == "starting_after"


def test_an_agent_in_a_conversation_in_the_background(project_openai, agent_made, agent_name, model):
    with agent_made(agent_name, instructions="Be brief."):
        conversation = project_openai.conversations.create()
        queued = project_openai.responses.create(
            conversation=conversation.id,
            input="Say done.",
            background=True,
            extra_body={"agent_reference": {"name": agent_name, "type": "agent_reference"}},
        )
        assert finished(project_openai, queued.id).output_text == "done"
        items = list(project_openai.conversations.items.list(conversation.id))
        assert [item.role for item in items] == ["assistant", "user"]
