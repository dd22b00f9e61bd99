"""An agent that tells customers where their orders are. It looks them up with a function of this program."""

import json
from collections.abc import Callable

from azure.ai.projects import AIProjectClient
from azure.ai.projects.models import FunctionTool, PromptAgentDefinition

AGENT = "order-desk"


def make_agent(project: AIProjectClient, model: str) -> None:
    get_order = FunctionTool(
        name="get_order",
        description="Looks an order up by its number.",
        parameters={
            "type": "object",
            "properties": {"number": {"type": "string"}},
            "required": ["number"],
            "additionalProperties": False,
        },
        strict=True,
    )
    project.agents.create_version(
        agent_name=AGENT,
        definition=PromptAgentDefinition(
            model=model,
            instructions="You tell customers where their orders are, in one sentence.",
            tools=[get_order],
        ),
    )


def answer(project: AIProjectClient, question: str, get_order: Callable[[str], dict]) -> str:
    """Asks the agent, and calls the function as often as it wants."""
    agent = {"agent_reference": {"type": "agent_reference", "name": AGENT}}
    with project.get_openai_client() as openai:
        response = openai.responses.create(input=question, extra_body=agent)
        for _ in range(5):
            calls = [item for item in response.output if item.type == "function_call"]
            if not calls:
                return response.output_text
            outputs = [
                {
                    "type": "function_call_output",
                    "call_id": call.call_id,
                    "output": json.dumps(get_order(**json.loads(call.arguments))),
                }
                for call in calls
            ]
            response = openai.responses.create(input=outputs, previous_response_id=response.id, extra_body=agent)
    raise RuntimeError("The agent goes on and on calling the function.")
