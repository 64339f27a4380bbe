"""Every way to an `openai` client: OpenAI's, Azure's and a Foundry project's, each sync and async."""

import azure.ai.projects
import azure.ai.projects.aio
import openai

from .common import KEY, AsyncCredential, Credential


def _azure(kind, url, **options):
    return kind(azure_endpoint=url, api_key=KEY, api_version="2025-03-01-preview", **options)


def _project(package, credential, url, **options):
    client = package.AIProjectClient(endpoint=f"{url}/api/projects/demo", credential=credential)
    return client.get_openai_client(**options)


CLIENTS = {
    "openai": lambda url, **options: openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, **options),
    "openai-async": lambda url, **options: openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, **options),
    "openai-at-azure-v1": lambda url, **options: openai.OpenAI(base_url=f"{url}/openai/v1/", api_key=KEY, **options),
    "azure": lambda url, **options: _azure(openai.AzureOpenAI, url, **options),
    "azure-async": lambda url, **options: _azure(openai.AsyncAzureOpenAI, url, **options),
    "project": lambda url, **options: _project(azure.ai.projects, Credential(), url, **options),
    "project-async": lambda url, **options: _project(azure.ai.projects.aio, AsyncCredential(), url, **options),
}
