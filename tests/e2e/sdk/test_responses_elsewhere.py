"""The Responses API by way of the Agents SDK, LangChain, LiteLLM, Node, and the articles' samples."""

import agents
import azure.ai.projects
import langchain_openai
import litellm
import pytest

from .agent_suite import AgentSuite
from .common import KEY, PROMPT, SERVED, Credential
from .test_node import run


class TestAgents(AgentSuite):
    model = agents.OpenAIResponsesModel
    invalid = {"input": 5}

    def test_turns_that_the_provider_remembers(self, run, mocks):
        async def converse(agent, prompt):
            first = await agents.Runner.run(agent, prompt)
            return await agents.Runner.run(agent, "And in French?", previous_response_id=first.last_response_id)

        assert run(how=converse).final_output
        assert sorted(len(mock.requests()) for mock in mocks.values())[-1] == 2


@pytest.mark.parametrize("stream", [False, True])
def test_langchain(envoy, mocks, stream):
    model = langchain_openai.ChatOpenAI(
        model="model-router", base_url=f"{envoy.url}/v1", api_key=KEY, use_responses_api=True
    )
    chunks = list(model.stream(PROMPT)) if stream else [model.invoke(PROMPT)]
    whole = sum(chunks[1:], chunks[0])
    assert whole.text
    assert whole.response_metadata["model_name"].startswith(SERVED)


@pytest.mark.parametrize(
    "model, path", [("openai/model-router", "/v1"), ("azure_ai/model_router/model-router", "/openai/v1/")]
)
def test_litellm(envoy, mocks, model, path):
    response = litellm.responses(model=model, input=PROMPT, api_base=envoy.url + path, api_key=KEY)
    assert response.output[-1].content[0].text


def test_node(envoy, mocks, plan):
    assert run("responses.test.cjs", envoy, mocks, plan) == 16


def test_the_project_sample(renamed, mocks):
    with (
        Credential() as credential,
        azure.ai.projects.AIProjectClient(endpoint=f"{renamed.url}/api/projects/p", credential=credential) as project,
        project.get_openai_client() as client,
    ):
        response = client.responses.create(model="model-router-prod", input="Name one sight of Vienna.")
    assert response.output_text


def test_the_sample_of_several_models(renamed, mocks):
    """The article's names as it writes them: the case of a name does not matter."""
    names = ["model-router", "gpt-5.2", "grok-4-fast-reasoning", "gpt-5-mini", "Deepseek-V3.2"]
    project = azure.ai.projects.AIProjectClient(endpoint=f"{renamed.url}/api/projects/p", credential=Credential())
    with project.get_openai_client() as client:
        for name in names:
            response = client.responses.create(model=name, input="What is retrieval for?")
            assert response.output_text
            assert name == "model-router" or name.lower() in response.model.lower()
