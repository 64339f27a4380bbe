"""The OpenAI Agents SDK, its models speaking Chat Completions."""

import agents

from .agent_suite import AgentSuite


class TestChatCompletions(AgentSuite):
    model = agents.OpenAIChatCompletionsModel
    invalid = {"messages": "none"}
