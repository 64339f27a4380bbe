// What the Node suites share: where Envoy and the mock providers are, what is sent, and which faults there are.

const { url, mocks, plan } = JSON.parse(process.env.MODEL_ROUTER_TEST);

const parameters = { type: "object", properties: { order_id: { type: "string" } }, required: ["order_id"] };
const pixel =
  "data:image/png;base64," +
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function fault(name, body) {
  const response = await fetch(`${mocks[name]}/_mock/faults`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}

module.exports = {
  url,
  plan,
  key: "client-key",
  messages: [{ role: "user", content: "Say hello." }],
  tool: { type: "function", function: { name: "get_order_status", parameters } },
  flatTool: { type: "function", name: "get_order_status", parameters, strict: false },
  pixel,
  picture: [{ role: "user", content: [{ type: "image_url", image_url: { url: pixel } }] }],
  seeing: /^(gpt-5-nano|gpt-5-mini|gpt-5\.4|claude-sonnet-4-5|my-gpt-5)/,

  async reset() {
    for (const mock of Object.values(mocks)) {
      await fetch(`${mock}/_mock/faults`, { method: "DELETE" });
      await fetch(`${mock}/_mock/requests`, { method: "DELETE" });
    }
  },

  async seen() {
    const read = async (mock) => (await fetch(`${mock}/_mock/requests`)).json();
    return (await Promise.all(Object.values(mocks).map(read))).flat();
  },

  async hang() {
    for (const name of Object.keys(mocks)) await fault(name, { fault: "hang" });
  },

  // Every model answers 429: to so many rounds of the whole plan, or for ever.
  async rateLimit(rounds, headers = { "retry-after-ms": "20" }) {
    for (const name of Object.keys(mocks)) {
      const slots = plan.filter((row) => row.provider === name).length;
      const count = rounds === undefined ? null : rounds * slots;
      if (count === 0) continue;
      await fault(name, { fault: "status", status: 429, count, headers: { "retry-after": null, ...headers } });
    }
  },
};
