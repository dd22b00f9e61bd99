"""Vector stores and file search."""

import pytest
from openai import BadRequestError, NotFoundError


@pytest.fixture
def store(client):
    made = client.vector_stores.create(name="notes")
    yield made
    client.vector_stores.delete(made.id)


def _upload(client, store, name, text):
    file = client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=(name, text.encode()))
    assert (file.status, file.last_error) == ("completed", None)
    return file


def test_files_are_taken_in_and_found(client, store):
    otters = _upload(client, store, "otters.md", "Otters swim in rivers.")
    batch = client.vector_stores.file_batches.upload_and_poll(
        vector_store_id=store.id, files=[("owls.txt", b"Owls fly at night."), ("bees.txt", b"Bees make honey.")]
    )
    assert (batch.status, batch.file_counts.completed) == ("completed", 2)
    assert client.vector_stores.retrieve(store.id).file_counts.total == 3

    found = client.vector_stores.search(store.id, query="otters in rivers").data
    assert (found[0].file_id, found[0].filename) == (otters.id, "otters.md")
    assert 0 < found[0].score <= 1
    content = client.vector_stores.files.content(otters.id, vector_store_id=store.id).data
    assert [part.text for part in content] == ["Otters swim in rivers."]

    client.vector_stores.files.update(otters.id, vector_store_id=store.id, attributes={"legs": 4, "wild": True})
    filters = {"type": "and", "filters": [{"type": "gte", "key": "legs", "value": 4}]}
    found = client.vector_stores.search(store.id, query=["rivers", "honey"], filters=filters).data
    assert {hit.file_id for hit in found} == {otters.id}
    assert found[0].attributes == {"legs": 4, "wild": True}


def test_files_are_listed_and_detached(client, store):
    ids = [_upload(client, store, f"{n}.txt", f"Text {n}.").id for n in range(3)]
    assert [file.id for file in client.vector_stores.files.list(store.id, limit=1, order="asc")] == ids
    assert client.vector_stores.files.delete(ids[0], vector_store_id=store.id).deleted
    assert client.files.retrieve(ids[0]).id == ids[0]
    client.files.delete(ids[1])
    assert [file.id for file in client.vector_stores.files.list(store.id)] == ids[2:]


def test_refused(client, store):
    with pytest.raises(NotFoundError) as missing:
        client.vector_stores.files.create(store.id, file_id="file-none")
    assert missing.value.param == "file_id"
    with pytest.raises(BadRequestError) as refused:
        client.vector_stores.search(store.id, query="x", filters={"type": "like", "key": "k", "value": "v"})
    assert refused.value.param == "filters.type"


def test_file_search(client, model, store):
    file = _upload(client, store, "otters.md", "Otters eat fish.")
    response = client.responses.create(
        model=model,
        input="Tell me about otters",
        tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        include=["file_search_call.results"],
    )
    call, message = response.output
    assert (call.type, call.status, [result.file_id for result in call.results]) == (
        "file_search_call",
        "completed",
        [file.id],
    )
    (citation,) = message.content[0].annotations
    assert (citation.type, citation.file_id, citation.filename) == ("file_citation", file.id, "otters.md")
    assert message.content[0].text[citation.index :].startswith("【1】")


def test_file_search_in_an_agent(project_openai, agent_made, agent_name):
    store = project_openai.vector_stores.create()
    _upload(project_openai, store, "otters.md", "Otters eat fish.")
    tools = [{"type": "file_search", "vector_store_ids": [store.id]}]
    with agent_made(agent_name, tools=tools):
        response = project_openai.responses.create(
            input="Tell me about otters",
            extra_body={"agent_reference": {"type": "agent_reference", "name": agent_name}},
        )
    assert "eat fish" in response.output_text
    project_openai.vector_stores.delete(store.id)
