"""Datasets, indexes and registered models, through the project client and the blob client it brings."""

import pytest
from azure.ai.projects.models import (
    FoundryModelWeightType,
    ManagedAzureAISearchIndex,
    ModelCredentialRequest,
    ModelPendingUploadRequest,
    ModelVersion,
    PendingUploadType,
)
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient


def _container(reference):
    return ContainerClient.from_container_url(reference.credential.sas_uri)


def test_a_file_is_uploaded_read_and_deleted(project, tmp_path):
    file = tmp_path / "questions ä.jsonl"
    file.write_text('{"query": "What is iron?"}\n')
    made = project.datasets.upload_file(name="py-file", version="1", file_path=str(file))
    assert made.type == "uri_file"
    assert not made.is_reference
    assert "sig=" not in made.data_uri
    assert project.datasets.get(name="py-file", version="1") == made
    reference = project.datasets.get_credentials(name="py-file", version="1").blob_reference
    with _container(reference) as container:
        assert container.download_blob(file.name).readall() == file.read_bytes()
        with pytest.raises(HttpResponseError) as refused:
            container.upload_blob("other", b"x")
        assert refused.value.status_code == 403
    with pytest.raises(ResourceExistsError):
        project.datasets.upload_file(name="py-file", version="1", file_path=str(file))
    project.datasets.delete(name="py-file", version="1")
    project.datasets.delete(name="py-file", version="1")
    with pytest.raises(ResourceNotFoundError, match="Could not find asset with ID"):
        project.datasets.get(name="py-file", version="1")


def test_a_folder_with_a_large_file_is_uploaded_in_blocks(project, tmp_path):
    (tmp_path / "deep").mkdir()
    content = bytes(range(256)) * 4096 * 70
    (tmp_path / "deep" / "large.bin").write_bytes(content)
    (tmp_path / "small.txt").write_text("small")
    made = project.datasets.upload_folder(name="py-folder", version="1", folder=str(tmp_path))
    assert made.type == "uri_folder"
    reference = project.datasets.get_credentials(name="py-folder", version="1").blob_reference
    with _container(reference) as container:
        assert sorted(container.list_blob_names()) == ["deep/large.bin", "small.txt"]
        assert container.download_blob("deep/large.bin").readall() == content
    project.datasets.delete(name="py-folder", version="1")


def test_listings_are_followed_to_their_end(project):
    with project.get_openai_client() as openai:
        index = ManagedAzureAISearchIndex(vector_store_id=openai.vector_stores.create().id)
    numbers = [f"{number:03}" for number in range(120)]
    for number in numbers:
        project.indexes.create_or_update(name="py-many", version=number, index=index)
        project.indexes.create_or_update(name=f"py-many-{number}", version="1", index=index)
    assert [found.version for found in project.indexes.list_versions(name="py-many")] == numbers[::-1]
    names = [found.name for found in project.indexes.list() if found.name.startswith("py-many-")]
    assert names == [f"py-many-{number}" for number in numbers]


def test_a_model_is_registered_read_and_deleted(project, tmp_path):
    models = project.beta.models
    pending = models.pending_upload(
        name="py-model",
        version="1",
        pending_upload_request=ModelPendingUploadRequest(
            pending_upload_type=PendingUploadType.TEMPORARY_BLOB_REFERENCE
        ),
    )
    with _container(pending.blob_reference) as container:
        container.upload_blob("weights.safetensors", b"weights")
    with pytest.raises(ResourceNotFoundError):
        models.get(name="py-model", version="1")
    models.pending_create_version(
        name="py-model",
        version="1",
        model_version=ModelVersion(
            blob_uri=pending.blob_reference.blob_uri, weight_type=FoundryModelWeightType.FULL_WEIGHT
        ),
    )
    made = models.get(name="py-model", version="1")
    assert made.blob_uri == pending.blob_reference.blob_uri
    assert made.artifact_profile.category == "DataOnly"
    assert [found.version for found in models.list_versions(name="py-model")] == ["1"]
    reference = models.get_credentials(
        name="py-model", version="1", credential_request=ModelCredentialRequest(blob_uri=made.blob_uri)
    ).blob_reference
    with _container(reference) as container:
        assert list(container.list_blob_names()) == ["weights.safetensors"]
    models.delete(name="py-model", version="1")
    models.delete(name="py-model", version="1")
    assert "py-model" not in [found.name for found in models.list()]
