"""What an agent of the OpenAI Agents SDK does, whichever API its model speaks. Nothing of it is traced."""

import agents
import openai
import pytest

from .common import KEY, PIXEL, PROMPT, SEEING, hang, rate_limit, requests, wait

agents.set_tracing_disabled(True)


@agents.function_tool
def get_order_status(order_id: str) -> str:
    """Where an order is."""
    return f"{order_id} is shipped"


class AgentSuite:
    """A subclass says which kind of model the agents use, and what in a body is invalid."""

    model = None
    invalid = None

    @pytest.fixture
    def run(self, envoy, mocks):
        def run(prompt=PROMPT, model="model-router", how=agents.Runner.run, tools=(), settings=None, **options):
            client = openai.AsyncOpenAI(base_url=f"{envoy.url}/v1", api_key=KEY, **{"max_retries": 0, **options})
            settings = agents.ModelSettings(**(settings or {}))
            agent = agents.Agent(
                name="Clerk", model=self.model(model, client), tools=list(tools), model_settings=settings
            )
            return wait(how(agent, prompt))

        return run

    def test_an_answer(self, run):
        result = run()
        assert result.final_output
        assert result.raw_responses[0].usage.total_tokens > 0

    def test_streaming(self, run):
        async def stream(agent, prompt):
            result = agents.Runner.run_streamed(agent, prompt)
            events = [event async for event in result.stream_events() if event.type == "raw_response_event"]
            return result, [event.data for event in events]

        result, events = run(how=stream)
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == result.final_output

    def test_a_loop_with_tools(self, run, mocks):
        result = run(tools=[get_order_status], settings={"tool_choice": "required"})
        items = [item for item in result.new_items if item.type != "reasoning_item"]
        assert [item.type for item in items] == ["tool_call_item", "tool_call_output_item", "message_output_item"]
        assert items[1].output.endswith("is shipped")
        assert len(requests(mocks)) == 2

    def test_images_go_to_a_model_that_sees(self, run, mocks):
        parts = [
            {"type": "input_text", "text": "What is in this picture?"},
            {"type": "input_image", "image_url": PIXEL, "detail": "auto"},
        ]
        assert run([{"role": "user", "content": parts}]).final_output
        [(_, body)] = requests(mocks)
        assert body["model"].startswith(SEEING)

    def test_an_unknown_model(self, run, mocks):
        with pytest.raises(openai.NotFoundError) as caught:
            run(model="nobody")
        assert caught.value.code == "model_not_found"
        assert not requests(mocks)

    def test_an_invalid_request(self, run):
        with pytest.raises(openai.BadRequestError):
            run(settings={"extra_body": self.invalid})

    def test_a_provider_that_hangs(self, run, mocks):
        hang(mocks)
        with pytest.raises(openai.APITimeoutError):
            run(timeout=0.2)

    def test_the_client_waits_and_tries_again(self, run, mocks):
        rate_limit(mocks, [{"provider": "openai"}], rounds=1)
        assert run(model="gpt-4.1-mini", max_retries=1).final_output

    def test_the_client_gives_up(self, run, mocks, plan):
        rate_limit(mocks, plan)
        with pytest.raises(openai.RateLimitError):
            run(max_retries=1)
