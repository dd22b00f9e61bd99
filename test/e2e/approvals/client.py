"""`client.py ask URL` prints the ids of a response and of the approval it waits for; `client.py approve RESPONSE APPROVAL URL` gives it, twice."""

import json
import os
import sys

from azure.ai.projects import AIProjectClient
from azure.identity import DefaultAzureCredential
from openai import ConflictError

command, *ids, url = sys.argv[1:]
model = os.environ["FOUNDRY_MODEL_NAME"]
tools = [{"type": "mcp", "server_label": "travel", "server_url": url, "require_approval": "always"}]

with (
    DefaultAzureCredential() as credential,
    AIProjectClient(endpoint=os.environ["FOUNDRY_PROJECT_ENDPOINT"], credential=credential) as project,
    project.get_openai_client() as client,
):
    if command == "ask":
        asked = client.responses.create(model=model, input="How is the weather in Oslo?", tools=tools)
        [approval] = [item.id for item in asked.output if item.type == "mcp_approval_request"]
        print(json.dumps({"response": asked.id, "approval": approval}))
    else:
        response, approval = ids
        answer = {"type": "mcp_approval_response", "approval_request_id": approval, "approve": True}
        given = {"model": model, "previous_response_id": response, "input": [answer], "tools": tools}
        done = client.responses.create(**given)
        try:
            client.responses.create(**given)
            again = None
        except ConflictError as error:
            again = error.status_code
        print(json.dumps({"types": [item.type for item in done.output], "text": done.output_text, "again": again}))
