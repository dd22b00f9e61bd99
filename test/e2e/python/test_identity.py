"""Who may call, and how every answer is told apart."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from azure.ai.projects import AIProjectClient
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import DefaultAzureCredential, get_bearer_token_provider
from openai import AuthenticationError, OpenAI


MAIN = Path(__file__).resolve().parents[3] / "src" / "main.ts"
# The data directory of the server that is called.
DATA = Path(os.environ["NODE_EXTRA_CA_CERTS"]).parent.parent


class FixedToken:
    """A credential that always has the same token, and counts how often it is asked."""

    def __init__(self, token):
        self.token = token
        self.asked = 0

    def get_token(self, *scopes, **options):
        self.asked += 1
        return AccessToken(self.token, int(time.time()) + 3600)


@pytest.mark.parametrize("token", ["not-a-token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.", "a.b.c"])
def test_a_bad_token_is_refused_once(endpoint, token):
    credential = FixedToken(token)
    with AIProjectClient(endpoint=endpoint, credential=credential) as project:
        with pytest.raises(ClientAuthenticationError) as refused:
            list(project.agents.list())
    assert refused.value.status_code == 401
    assert refused.value.error.code == "invalid_credential"
    assert refused.value.response.headers["x-request-id"]
    assert credential.asked == 1, "nothing in the answer makes the client try again with another token"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--audience", "https://graph.microsoft.com"], "this server expects 'https://ai.azure.com'"),
        (["--lifetime", "1s"], "expired at"),
    ],
)
def test_a_token_of_this_server_that_is_not_good_says_why(endpoint, options, why):
    made = subprocess.run(
        ["node", MAIN, "token", "--data", DATA, *options], capture_output=True, check=True, text=True
    )
    token = made.stdout.strip()
    if "--lifetime" in options:
        time.sleep(7)  # A second, and what clocks may differ by.
    with AIProjectClient(endpoint=endpoint, credential=FixedToken(token)) as project:
        with pytest.raises(ClientAuthenticationError) as native:
            list(project.deployments.list())
    assert why in native.value.message
    with pytest.raises(AuthenticationError) as refused:
        OpenAI(api_key=token, base_url=f"{endpoint}/openai/v1", max_retries=0).models.list()
    assert why in refused.value.message


def test_a_token_for_somebody_else_is_refused(endpoint):
    with DefaultAzureCredential() as credential:
        token = credential.get_token("https://ai.azure.com/.default").token
    head, payload, signature = token.split(".")
    forged = ".".join([head, payload, signature[::-1]])
    with AIProjectClient(endpoint=endpoint, credential=FixedToken(forged)) as project:
        with pytest.raises(ClientAuthenticationError):
            list(project.deployments.list())
    with AIProjectClient(endpoint=endpoint, credential=FixedToken(token)) as project:
        assert list(project.deployments.list())


def test_keys_and_tokens_for_the_openai_client(endpoint):
    base_url = f"{endpoint}/openai/v1"
    with DefaultAzureCredential() as credential:
        provider = get_bearer_token_provider(credential, "https://ai.azure.com/.default")
        assert list(OpenAI(api_key=provider, base_url=base_url).models.list())
    assert list(OpenAI(api_key=os.environ["FOUNDRY_PROJECT_API_KEY"], base_url=base_url).models.list())
    with pytest.raises(AuthenticationError) as refused:
        OpenAI(api_key="wrong", base_url=base_url).models.list()
    assert (refused.value.code, refused.value.type) == ("invalid_credential", "authentication_error")
    assert refused.value.request_id


def test_every_answer_has_its_own_id_and_the_callers(project):
    seen = []

    def look(answer):
        headers = answer.http_response.headers
        seen.append(headers["x-request-id"])
        assert headers["x-ms-client-request-id"] == answer.http_request.headers["x-ms-client-request-id"]

    list(project.deployments.list(raw_response_hook=look))
    with pytest.raises(ResourceNotFoundError):
        project.agents.get(agent_name="nobody", raw_response_hook=look)
    assert len(set(seen)) == 2


def test_another_project_and_another_version_of_the_api(endpoint):
    with DefaultAzureCredential() as credential:
        elsewhere = endpoint.rsplit("/", 1)[0] + "/elsewhere"
        with AIProjectClient(endpoint=elsewhere, credential=credential) as project:
            with pytest.raises(ResourceNotFoundError):
                list(project.agents.list())
        default = endpoint.rsplit("/", 1)[0] + "/_project"
        with AIProjectClient(endpoint=default, credential=credential) as project:
            assert list(project.deployments.list())
        with AIProjectClient(endpoint=endpoint, credential=credential, api_version="v0") as project:
            with pytest.raises(HttpResponseError) as refused:
                list(project.agents.list())
    assert (refused.value.status_code, refused.value.error.code) == (400, "UnsupportedApiVersionValue")
