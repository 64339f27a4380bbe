// @azure-rest/ai-inference, at each kind of endpoint that it is pointed at.

const assert = require("node:assert/strict");
const { beforeEach, describe, test } = require("node:test");
const { default: ModelClient, isUnexpected } = require("@azure-rest/ai-inference");
const { AzureKeyCredential } = require("@azure/core-auth");
const { createSseStream } = require("@azure/core-sse");
const { hang, key, messages, picture, plan, rateLimit, reset, seeing, seen, tool, url } = require("./common.cjs");

for (const path of ["", "/models", "/openai/deployments/model-router"]) {
  describe(`at ${path || "the root"}`, () => {
    beforeEach(reset);

    function post(body, { at = path, ...options } = {}, more = {}) {
      const client = ModelClient(url + at, new AzureKeyCredential(key), {
        allowInsecureConnection: true,
        retryOptions: { maxRetries: 0 },
        ...options,
      });
      return client.path("/chat/completions").post({ body: { model: "model-router", messages, ...body }, ...more });
    }

    test("chat", async () => {
      const { body, status } = await post({ max_tokens: 50 });
      assert.equal(status, "200");
      assert.ok(body.choices[0].message.content);
      assert.ok(body.model.startsWith(plan[0].model));
    });

    test("streaming", async () => {
      const response = await post({ stream: true }).asNodeStream();
      let text = "";
      for await (const { data } of createSseStream(response.body)) {
        if (data === "[DONE]") break;
        text += JSON.parse(data).choices[0]?.delta?.content ?? "";
      }
      assert.ok(text);
    });

    test("a loop with tools", async () => {
      const [asked] = (await post({ tools: [tool], tool_choice: "required" })).body.choices;
      const [call] = asked.message.tool_calls;
      assert.equal(call.function.name, "get_order_status");
      const result = { role: "tool", tool_call_id: call.id, content: "shipped" };
      const told = await post({ messages: [...messages, asked.message, result], tools: [tool] });
      assert.ok(told.body.choices[0].message.content);
    });

    test("images go to a model that sees", async () => {
      assert.match((await post({ messages: picture })).body.model, seeing);
    });

    test("an unknown model", async () => {
      const response = await post({ model: "nobody" }, { at: path.replace("model-router", "nobody") });
      assert.ok(isUnexpected(response));
      assert.equal(response.status, "404");
      assert.match(response.body.error.code, /^(DeploymentNotFound|model_not_found)$/);
    });

    test("an invalid request", async () => {
      const response = await post({ messages: [] });
      assert.ok(isUnexpected(response));
      assert.equal(response.status, "400");
      assert.equal(response.body.error.param, "messages");
    });

    test("a provider that hangs", async () => {
      await hang();
      await assert.rejects(async () => await post({}, {}, { timeout: 200 }), { name: "AbortError" });
    });

    test("the client waits and tries again", async () => {
      await rateLimit(1);
      const { body } = await post({}, { retryOptions: { maxRetries: 1 } });
      assert.ok(body.choices[0].message.content);
      assert.equal((await seen()).length, plan.length + 1);
    });

    test("the client gives up", async () => {
      await rateLimit();
      const response = await post({}, { retryOptions: { maxRetries: 1 } });
      assert.equal(response.status, "429");
      assert.equal((await seen()).length, 2 * plan.length);
    });
  });
}
