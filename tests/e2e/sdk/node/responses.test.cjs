// The Responses API, and routing controls, with `openai` for Node: OpenAI's client and Azure's.

const assert = require("node:assert/strict");
const { beforeEach, describe, test } = require("node:test");
const OpenAI = require("openai");
const { flatTool, hang, key, pixel, reset, seeing, seen, url } = require("./common.cjs");

const model = "model-router";
const input = "Say hello.";
const clients = {
  OpenAI: (options) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, ...options }),
  AzureOpenAI: (options) =>
    new OpenAI.AzureOpenAI({ endpoint: url, apiKey: key, apiVersion: "2025-03-01-preview", maxRetries: 0, ...options }),
};

for (const [name, connect] of Object.entries(clients)) {
  describe(name, () => {
    beforeEach(reset);
    const create = (body, options) => connect(options).responses.create({ model, input, ...body });

    test("an answer", async () => {
      const response = await create();
      assert.match(response.id, /^resp_/);
      assert.ok(response.output_text);
      assert.notEqual(response.model, model);
    });

    test("streaming", async () => {
      let text = "";
      let last;
      for await (last of await create({ stream: true })) {
        if (last.type === "response.output_text.delta") text += last.delta;
      }
      assert.equal(last.type, "response.completed");
      assert.equal(text, last.response.output[last.response.output.length - 1].content[0].text);
    });

    test("two turns", async () => {
      const first = await create();
      assert.ok((await create({ previous_response_id: first.id })).output_text);
    });

    test("a loop with tools", async () => {
      const asked = await create({ tools: [flatTool], tool_choice: "required" });
      const call = asked.output.find((item) => item.type === "function_call");
      assert.equal(call.name, "get_order_status");
      const result = { type: "function_call_output", call_id: call.call_id, output: "shipped" };
      const turns = [{ role: "user", content: input }, ...asked.output, result];
      assert.ok((await create({ input: turns, tools: [flatTool] })).output_text);
    });

    test("images go to a model that sees", async () => {
      const content = [{ type: "input_image", image_url: pixel, detail: "auto" }];
      assert.match((await create({ input: [{ role: "user", content }] })).model, seeing);
    });

    test("an unknown model", async () => {
      await assert.rejects(create({ model: "nobody" }), OpenAI.NotFoundError);
    });

    test("a provider that hangs", async () => {
      await hang();
      await assert.rejects(create({}, { timeout: 200 }), OpenAI.APIConnectionTimeoutError);
    });

    test("routing controls", async () => {
      const defaultHeaders = { "Foundry-Features": "ModelRouterControls=V1Preview" };
      const response = await create({ routing_config: { mode: "quality" } }, { defaultHeaders });
      assert.equal(response.model_selection_details.model_router_details.mode, "quality");
      const invalid = create({ routing_config: { mode: "fast" } }, { defaultHeaders });
      await assert.rejects(invalid, (error) => error.status === 400 && error.param === "routing_config.mode");
      assert.equal((await seen()).length, 1);
    });
  });
}
