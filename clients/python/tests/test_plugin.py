import json
import os
import ssl
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pytest_bloomery import BloomeryError, start_server

made = []


def ask(project, text="Hi"):
    """A response over TLS, by the variables alone."""
    request = Request(
        f"{os.environ['OPENAI_BASE_URL']}/responses".replace(os.environ["FOUNDRY_PROJECT_ENDPOINT"], project.endpoint),
        data=json.dumps({"model": os.environ["FOUNDRY_MODEL_NAME"], "input": text}).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"},
    )
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    with urlopen(request, context=context) as answer:
        return json.load(answer)["output"][0]["content"][0]["text"]


def status_of(project):
    with pytest.raises(HTTPError) as refused:
        ask(project)
    return refused.value.code


def names(server):
    return [project["name"] for project in server.admin.request("GET", "/projects")["value"]]


@pytest.mark.parametrize("_", [1, 2])
def test_each_test_has_a_project_that_is_gone_when_it_ends(_, bloomery_server, bloomery_project):
    assert os.environ["FOUNDRY_PROJECT_ENDPOINT"] == bloomery_project.endpoint
    there = names(bloomery_server)
    assert bloomery_project.name in there
    assert not any(name in there for name in made)
    made.append(bloomery_project.name)
    assert ask(bloomery_project, "Say exactly: here") == "here"


def test_faults_strike_one_project_until_they_end(bloomery_server, bloomery_project):
    with bloomery_server.project() as other:
        bloomery_project.faults(
            {"fault": "status", "status": 429, "when": {"nth": 1}}, {"name": "down", "fault": "status", "status": 503}
        )
        assert (status_of(bloomery_project), status_of(bloomery_project)) == (429, 503)
        ask(other)
    assert [struck["rule"] for struck in bloomery_project.struck()] == ["status-1", "down"]
    bloomery_project.faults()
    ask(bloomery_project)


def test_scenarios_and_forks(bloomery_project):
    bloomery_project.scenarios({"when": {"input": "order"}, "reply": {"text": "on its way"}})
    assert ask(bloomery_project, "My order?") == "on its way"
    with bloomery_project.fork() as fork:
        assert ask(fork, "My order?") != "on its way"
        fork.scenarios({"reply": {"text": "scripted"}})
        fork.faults({"fault": "status", "status": 500})
        fork.reset()
        assert ask(fork, "Say exactly: clean") == "clean"
    bloomery_project.scenarios()
    assert ask(bloomery_project, "My order?") != "on its way"


def test_what_the_server_refuses_is_told(bloomery_project):
    with pytest.raises(BloomeryError, match=r"faults\[0\]") as refused:
        bloomery_project.faults({"fault": "status"})
    assert (refused.value.status, refused.value.code) == (400, "invalid_payload")


def test_a_server_that_cannot_start_says_why(tmp_path, pytestconfig):
    config = tmp_path / "bloomery.yaml"
    config.write_text("projecs: []\n")
    command = pytestconfig.getoption("--bloomery-command").split()
    with pytest.raises(BloomeryError, match="(?s)ended with exit code 3.*projecs: unknown key"):
        start_server(command, config=str(config))
    with pytest.raises(BloomeryError, match="can't be run.*--bloomery-command"):
        start_server(["no-such-program-anywhere"])
    with pytest.raises(BloomeryError, match="was not ready within 0.1 s"):
        start_server([sys.executable, "-c", "import sys; sys.stdin.read()"], ready_seconds=0.1)
