"""What the clients for Python make of limits; prints it as JSON."""

import json
import os
import threading
import time

from azure.ai.projects import AIProjectClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from openai import RateLimitError

endpoint = os.environ["FOUNDRY_PROJECT_ENDPOINT"]

with (
    DefaultAzureCredential() as credential,
    AIProjectClient(endpoint=endpoint, credential=credential) as project,
    AIProjectClient(endpoint=endpoint, credential=credential, retry_total=0) as hasty,
    project.get_openai_client() as client,
):

    def ask(model, text="Hello", retries=2):
        return client.with_options(max_retries=retries).responses.create(model=model, input=text).status

    # A model takes a while to be loaded.
    ask("builtin")
    # One call too many: the client waits as long as it is told, and asks again.
    patient = [ask("brisk"), ask("brisk")]

    ask("slow")
    impatient = None
    try:
        ask("slow", retries=0)
    except RateLimitError as error:
        body = error.body
        impatient = {
            "code": error.code,
            "param": error.param,
            "message": str(error),
            "retryAfter": "retry-after" in error.response.headers,
        }

    raw = client.responses.with_raw_response.create(model="roomy", input="Hello")
    told = [
        unit
        for what in ("limit", "remaining", "reset")
        for unit in ("requests", "tokens")
        if f"x-ratelimit-{what}-{unit}" in raw.headers
    ]

    # While the one request that the project may have under way goes on.
    busy = threading.Thread(target=ask, args=("builtin", "take your time"))
    busy.start()
    time.sleep(0.3)
    native = None
    try:
        list(hasty.deployments.list())
    except HttpResponseError as error:
        native = {"status": error.status_code, "code": error.error.code if error.error else None}
    listed = len(list(project.deployments.list())) > 0
    busy.join()
    print(json.dumps({"patient": patient, "impatient": impatient, "told": told, "native": native, "listed": listed}))
