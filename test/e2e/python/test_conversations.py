"""Conversations and their items."""

import pytest
from openai import BadRequestError, ConflictError, NotFoundError


def said(text, role="user"):
    return {"type": "message", "role": role, "content": text}


def test_conversations(client):
    made = client.conversations.create(metadata={"topic": "iron"})
    assert made.id.startswith("conv_")
    assert (made.object, made.metadata) == ("conversation", {"topic": "iron"})
    assert client.conversations.retrieve(made.id).to_dict() == made.to_dict()
    assert client.conversations.update(made.id, metadata={"topic": "slag"}).metadata == {"topic": "slag"}
    gone = client.conversations.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "conversation.deleted", True)
    with pytest.raises(NotFoundError) as missing:
        client.conversations.retrieve(made.id)
    assert (missing.value.code, missing.value.param) == ("not_found", "conversation_id")
    with pytest.raises(BadRequestError):
        client.conversations.retrieve("nonsense")


def test_items(client, conversation):
    created = client.conversations.items.create(conversation, items=[said("first"), said("second", "assistant")])
    assert (created.has_more, [item.role for item in created.data]) == (False, ["user", "assistant"])
    first, second = created.data
    assert (created.first_id, created.last_id) == (first.id, second.id)
    assert (first.type, first.status) == ("message", "completed")
    assert (first.content[0].type, first.content[0].text) == ("input_text", "first")
    assert second.content[0].text == "second"
    assert client.conversations.items.retrieve(first.id, conversation_id=conversation).to_dict() == first.to_dict()

    after = client.conversations.items.delete(first.id, conversation_id=conversation)
    assert (after.id, after.object) == (conversation, "conversation")
    with pytest.raises(NotFoundError) as missing:
        client.conversations.items.retrieve(first.id, conversation_id=conversation)
    assert missing.value.param == "item_id"
    assert [item.id for item in client.conversations.items.list(conversation)] == [second.id]


def test_items_are_listed_page_by_page(client, conversation):
    for start in range(0, 50, 20):
        client.conversations.items.create(
            conversation, items=[said(str(number)) for number in range(start, min(start + 20, 50))]
        )

    def texts(**options):
        return [item.content[0].text for item in client.conversations.items.list(conversation, **options)]

    numbers = [str(number) for number in range(50)]
    assert texts() == numbers[::-1]
    assert texts(order="asc", limit=7) == numbers
    page = client.conversations.items.list(conversation, order="asc", limit=7)
    assert (len(page.data), page.has_more, page.last_id) == (7, True, page.data[-1].id)
    with pytest.raises(BadRequestError) as refused:
        client.conversations.items.create(conversation, items=[said("x")] * 21)
    assert refused.value.param == "items"


def test_a_conversation_that_ends_with_a_question_is_answered_without_input(client, model):
    made = client.conversations.create(items=[said("What is the capital of Italy?")])
    assert "Rome" in client.responses.create(model=model, conversation=made.id).output_text
    client.conversations.items.create(made.id, items=[said("And the capital of Spain?")])
    assert "Madrid" in client.responses.create(model=model, conversation=made.id, input="").output_text


def test_a_response_continues_from_within_a_conversation(client, model, conversation):
    inside = client.responses.create(model=model, conversation=conversation, input="My city is Trondheim.")
    outside = client.responses.create(model=model, previous_response_id=inside.id, input="What is my city?")
    assert "Trondheim" in outside.output_text
    assert len(list(client.conversations.items.list(conversation))) == 2
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(
            model=model, conversation=conversation, previous_response_id=inside.id, input="What is my city?"
        )
    assert refused.value.param == "previous_response_id"


def test_one_turn_at_a_time(client, model, conversation):
    with client.responses.create(
        model=model, conversation=conversation, input="Take your time", stream=True
    ) as events:
        assert next(iter(events)).type == "response.created"
        for attempt in (
            lambda: client.conversations.items.create(conversation, items=[said("Me too")]),
            lambda: client.responses.create(model=model, conversation=conversation, input="Me too"),
        ):
            with pytest.raises(ConflictError) as refused:
                attempt()
            assert (refused.value.code, refused.value.param) == ("conversation_locked", "conversation")
            assert refused.value.request_id
    # Going away has ended that turn, and the client tries again until it is the next one's.
    patient = client.with_options(max_retries=10)
    assert patient.responses.create(model=model, conversation=conversation, input="Hello").status == "completed"
