"""Files and uploads, as the Python client sends them."""

import hashlib
import io

import pytest
from openai import BadRequestError, NotFoundError


def test_a_file_from_upload_to_deletion(project_openai):
    content = bytes(range(256)) * 20_000
    file = project_openai.files.create(file=("grüße.bin", io.BytesIO(content)), purpose="assistants")
    assert (file.object, file.filename, file.bytes) == ("file", "grüße.bin", len(content))
    assert project_openai.files.wait_for_processing(file.id).status == "processed"
    assert project_openai.files.retrieve(file.id) == file
    assert project_openai.files.content(file.id).content == content
    part = project_openai.files.content(file.id, extra_headers={"Range": "bytes=-3"})
    assert part.content == bytes([253, 254, 255])
    deleted = project_openai.files.delete(file.id)
    assert (deleted.id, deleted.deleted) == (file.id, True)
    with pytest.raises(NotFoundError):
        project_openai.files.content(file.id)


def test_files_are_paged_by_purpose(project_openai):
    made = [
        project_openai.files.create(
            file=(f"{i}.jsonl", b"{}\n"),
            purpose="fine-tune",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
        for i in range(3)
    ]
    assert all(file.expires_at == file.created_at + 3600 for file in made)
    listed = list(project_openai.files.list(purpose="fine-tune", limit=2, order="asc"))
    assert [file.id for file in listed][-3:] == [file.id for file in made]
    with pytest.raises(BadRequestError) as refused:
        project_openai.files.create(file=("a.txt", b"x"), purpose="fun")
    assert refused.value.param == "purpose"


def test_an_upload_in_parts(project_openai):
    content = b"0123456789" * 100_000
    upload = project_openai.uploads.create(
        filename="parts.txt", purpose="assistants", bytes=len(content), mime_type="text/plain"
    )
    ids = [
        project_openai.uploads.parts.create(upload.id, data=content[at : at + 400_000]).id
        for at in range(0, len(content), 400_000)
    ]
    done = project_openai.uploads.complete(upload.id, part_ids=ids, md5=hashlib.md5(content).hexdigest())
    assert (done.status, done.file.bytes) == ("completed", len(content))
    assert project_openai.files.content(done.file.id).content == content
    with pytest.raises(BadRequestError):
        project_openai.uploads.parts.create(upload.id, data=b"late")


def test_a_whole_file_in_chunks(project_openai, tmp_path):
    path = tmp_path / "chunked.txt"
    path.write_bytes(b"abc" * 100_000)
    done = project_openai.uploads.upload_file_chunked(
        file=path, mime_type="text/plain", purpose="assistants", part_size=100_000
    )
    assert project_openai.files.content(done.file.id).content == path.read_bytes()
