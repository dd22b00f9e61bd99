"""Responses: continued, structured, with functions, streamed."""

import json

import pytest
from openai import APIError, BadRequestError, NotFoundError, RateLimitError
from pydantic import BaseModel


def kinds(events):
    """The types of events, in order, with repeated deltas as one."""
    seen = []
    for event in events:
        if not (seen and seen[-1] == event.type and event.type.endswith(".delta")):
            seen.append(event.type)
    return seen


def test_a_response_continues_another(client, model):
    first = client.responses.create(model=model, input="My city is Trondheim.")
    second = client.responses.create(model=model, input="What is my city?", previous_response_id=first.id)
    assert "Trondheim" in second.output_text
    assert second.previous_response_id == first.id
    alone = client.responses.create(model=model, input="What is my city?")
    assert "Trondheim" not in alone.output_text


def test_a_response_is_kept_until_it_is_deleted(client, model):
    made = client.responses.create(
        model=model, input='Reply with exactly "iron"', metadata={"ore": "bog"}, store=True, temperature=0.2
    )
    assert made.output_text == "iron"
    kept = client.responses.retrieve(made.id)
    assert kept.to_dict() == made.to_dict()
    assert (kept.metadata, kept.temperature, kept.status) == ({"ore": "bog"}, 0.2, "completed")
    assert made.usage.input_tokens > 0 and made.usage.output_tokens > 0
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    (item,) = client.responses.input_items.list(made.id)
    assert (item.role, item.content[0].type, item.content[0].text) == ("user", "input_text", 'Reply with exactly "iron"')
    client.responses.delete(made.id)
    with pytest.raises(NotFoundError) as missing:
        client.responses.retrieve(made.id)
    assert missing.value.code == "not_found"
    unstored = client.responses.create(model=model, input="Hello", store=False)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(unstored.id)


class Event(BaseModel):
    name: str
    date: str
    participants: list[str]


def test_an_answer_is_parsed_into_a_model(client, model):
    response = client.responses.parse(
        model=model,
        input="Alice and Bob are going to a science fair on Friday, November 7, 2025.",
        text_format=Event,
    )
    assert isinstance(response.output_parsed, Event)
    assert response.output_parsed.participants == ["Alice", "Bob"]
    assert response.text.format.type == "json_schema"


WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


def answers(response, weather):
    calls = [item for item in response.output if item.type == "function_call"]
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": weather(**json.loads(call.arguments))}
        for call in calls
    ]


def test_functions_are_called_until_the_answer_is_there(client, model, conversation):
    asked = []

    def weather(city):
        asked.append(city)
        return f"sleet in {city}"

    response = client.responses.create(
        model=model, conversation=conversation, input="What is the weather in Bergen?", tools=[WEATHER]
    )
    assert (response.status, response.output_text) == ("completed", "")
    for _ in range(3):
        outputs = answers(response, weather)
        if not outputs:
            break
        response = client.responses.create(model=model, conversation=conversation, input=outputs, tools=[WEATHER])
    assert asked == ["Bergen"]
    assert "sleet in Bergen" in response.output_text
    stored = [item.type for item in client.conversations.items.list(conversation, order="asc")]
    assert stored == ["message", "function_call", "function_call_output", "message"]


def test_a_call_left_open_and_an_output_without_a_call(client, model):
    called = client.responses.create(model=model, input="What is the weather in Bergen?", tools=[WEATHER])
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(model=model, input="And?", previous_response_id=called.id)
    assert (refused.value.code, refused.value.param) == ("invalid_payload", "input")
    assert "No tool output found for function call" in refused.value.message
    with pytest.raises(BadRequestError) as refused:
        stray = {"type": "function_call_output", "call_id": "call_nowhere", "output": "x"}
        client.responses.create(model=model, input=[stray])
    assert refused.value.param == "input[0].call_id"


def test_tool_choice(client, model):
    def made(choice):
        return client.responses.create(model=model, input="Hello", tools=[WEATHER], tool_choice=choice).output

    assert [item.type for item in made("none")] == ["message"]
    assert [item.type for item in made("required")] == ["function_call"]
    (call,) = made({"type": "function", "name": "get_weather"})
    assert call.name == "get_weather"
    with pytest.raises(BadRequestError) as refused:
        made({"type": "function", "name": "get_lost"})
    assert refused.value.param == "tool_choice"


def test_the_events_of_a_text_come_in_order(client, model):
    events = list(client.responses.create(model=model, input='Reply with exactly "iron and slag"', stream=True))
    assert kinds(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "iron and slag"
    first, last = events[0].response, events[-1].response
    assert (first.status, first.output, first.usage) == ("in_progress", [], None)
    assert (last.status, last.id, last.output_text) == ("completed", first.id, "iron and slag")
    assert client.responses.retrieve(last.id).to_dict() == last.to_dict()


def test_the_events_of_a_call_come_in_order(client, model):
    with client.responses.stream(model=model, input="What is the weather in Bergen?", tools=[WEATHER]) as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert kinds(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    (call,) = final.output
    assert (call.name, json.loads(call.arguments), call.status) == ("get_weather", {"city": "Bergen"}, "completed")


def test_a_stream_is_parsed_too(client, model):
    with client.responses.stream(
        model=model, input="Alice and Bob are going to a science fair on November 7, 2025.", text_format=Event
    ) as stream:
        final = stream.get_final_response()
    assert final.output_parsed.participants == ["Alice", "Bob"]


def test_an_output_cut_short(client, model):
    cut = client.responses.create(model=model, input="Count to 400", max_output_tokens=16)
    assert (cut.status, cut.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert cut.output_text.startswith("1 2 3")
    assert cut.usage.output_tokens <= 16


def test_a_model_that_fails_at_once_and_one_that_fails_late(client, model):
    with pytest.raises(RateLimitError) as limited:
        client.responses.create(model=model, input="Once too often")
    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["retry-after"] == "7"
    with pytest.raises(RateLimitError):
        client.responses.create(model=model, input="Once too often", stream=True)
    with pytest.raises(APIError):
        client.responses.create(model=model, input="Break down")
    events = list(client.responses.create(model=model, input="Break down", stream=True))
    assert events[-1].type == "response.failed"
    assert (events[-1].response.status, events[-1].response.error.code) == ("failed", "server_error")
    assert client.responses.retrieve(events[-1].response.id).status == "failed"


@pytest.mark.parametrize(
    ("request_body", "code", "param"),
    [
        ({"input": "Hello"}, "missing_required_parameter", "model"),
        ({"model": "builtin"}, "missing_required_parameter", "input"),
        ({"model": "builtin", "input": "Hello", "temperature": 3}, "invalid_payload", "temperature"),
        ({"model": "builtin", "input": "Hello", "max_tool_calls": 0}, "invalid_payload", "max_tool_calls"),
        ({"model": "builtin", "input": [{"type": "message", "role": "user"}]}, None, "input[0].content"),
        ({"model": "builtin", "input": "Hello", "conversation": "nonsense"}, "invalid_payload", "conversation"),
        ({"model": "builtin", "input": "Hello", "tools": [{"type": "function"}]}, None, "tools[0].name"),
    ],
)
def test_bad_requests_name_the_field(client, request_body, code, param):
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(**request_body)
    assert refused.value.param == param
    assert code is None or refused.value.code == code
    assert (refused.value.type, bool(refused.value.request_id)) == ("invalid_request_error", True)


@pytest.mark.parametrize(
    ("request_body", "code", "param"),
    [
        ({"model": "nobody", "input": "Hello"}, "DeploymentNotFound", "model"),
        (
            {"model": "builtin", "input": "Hello", "previous_response_id": "resp_nowhere"},
            "previous_response_not_found",
            "previous_response_id",
        ),
        (
            {"input": "Hello", "extra_body": {"agent_reference": {"type": "agent_reference", "name": "nobody"}}},
            "not_found",
            "agent_reference.name",
        ),
    ],
)
def test_what_is_not_there(client, request_body, code, param):
    with pytest.raises(NotFoundError) as missing:
        client.responses.create(**request_body)
    assert (missing.value.code, missing.value.param) == (code, param)


def test_an_agents_definition_is_not_overridden(client, agent_name, agent_made):
    reference = {"agent_reference": {"type": "agent_reference", "name": agent_name}}
    with agent_made(agent_name, instructions="Be brief."):
        for field, value in (("instructions", "Be long."), ("tools", [WEATHER]), ("reasoning", {"effort": "low"})):
            with pytest.raises(BadRequestError) as refused:
                client.responses.create(input="Hello", extra_body=reference, **{field: value})
            assert (refused.value.code, refused.value.param) == ("invalid_payload", field)
            assert "Not allowed when agent is specified." in refused.value.message
