// Chat Completions with `openai` for Node: OpenAI's client and Azure's.

const assert = require("node:assert/strict");
const { beforeEach, describe, test } = require("node:test");
const OpenAI = require("openai");
const { hang, key, messages, picture, plan, rateLimit, reset, seeing, seen, tool, url } = require("./common.cjs");

const model = "model-router";
const clients = {
  OpenAI: (options) => new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, ...options }),
  AzureOpenAI: (options) =>
    new OpenAI.AzureOpenAI({ endpoint: url, apiKey: key, apiVersion: "2024-10-21", maxRetries: 0, ...options }),
};

for (const [name, connect] of Object.entries(clients)) {
  describe(name, () => {
    beforeEach(reset);
    const create = (body, options) => connect(options).chat.completions.create({ model, messages, ...body });

    test("chat", async () => {
      const answer = await create();
      assert.ok(answer.choices[0].message.content);
      assert.ok(answer.model.startsWith(plan[0].model));
    });

    test("streaming", async () => {
      let text = "";
      for await (const chunk of await create({ stream: true })) text += chunk.choices[0]?.delta?.content ?? "";
      assert.ok(text);
    });

    test("a loop with tools", async () => {
      const [asked] = (await create({ tools: [tool], tool_choice: "required" })).choices;
      const [call] = asked.message.tool_calls;
      assert.equal(call.function.name, "get_order_status");
      const result = { role: "tool", tool_call_id: call.id, content: "shipped" };
      const told = await create({ messages: [...messages, asked.message, result], tools: [tool] });
      assert.ok(told.choices[0].message.content);
    });

    test("images go to a model that sees", async () => {
      assert.match((await create({ messages: picture })).model, seeing);
    });

    test("an unknown model", async () => {
      const code = name === "OpenAI" ? "model_not_found" : "DeploymentNotFound";
      const unknown = (error) => error instanceof OpenAI.NotFoundError && error.code === code;
      await assert.rejects(create({ model: "nobody" }), unknown);
    });

    test("an invalid request", async () => {
      const invalid = (error) => error instanceof OpenAI.BadRequestError && error.param === "messages";
      await assert.rejects(create({ messages: [] }), invalid);
    });

    test("a provider that hangs", async () => {
      await hang();
      await assert.rejects(create({}, { timeout: 200 }), OpenAI.APIConnectionTimeoutError);
    });

    test("the client waits and tries again", async () => {
      await rateLimit(1);
      assert.ok((await create({}, { maxRetries: 1 })).choices[0].message.content);
      assert.equal((await seen()).length, plan.length + 1);
    });

    test("the client gives up", async () => {
      await rateLimit();
      await assert.rejects(create({}, { maxRetries: 1 }), OpenAI.RateLimitError);
      assert.equal((await seen()).length, 2 * plan.length);
    });
  });
}

// The sample asks `@azure/openai` for AzureOpenAI, which that package does not have, and gives no apiVersion, which the
// class in `openai` insists on. With both mended the calls are the sample's.
test("the calls of the Node sample", async () => {
  await reset();
  const client = clients.AzureOpenAI();
  const answers = await Promise.all(
    [["What are tides?", 0.7], ["Write a linked list in TypeScript.", 0.2], ["When do shops open?", 0.7]].map(
      ([content, temperature]) =>
        client.chat.completions.create({ model, messages: [{ role: "user", content }], temperature }),
    ),
  );
  assert.ok(answers.every((answer) => answer.model !== model && answer.choices[0].message.content));
});
