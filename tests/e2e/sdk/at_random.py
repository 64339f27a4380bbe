"""Valid requests of OpenAI's APIs at random, with what none of Claude's models can be asked among them."""

import json

from .common import PIXEL

WORDS = [
    "Say hello.", "caf\u00e9 \U0001f600 \U0001f469\u200d\U0001f4bb \u65e5\u672c\u8a9e", 'a "quote", a \\ and a / and \u2028', "tab\tline\nend\r\n",
    '{"error": "none", "a": [1, 2]}', "\\u0041 \\n \\", "\u0001\u001f\u007f\ufffd", "</a> &amp; %20 ${x} <|end|>", "word " * 500, "0", "null",
]
BLANKS = ["", " ", "\n\t \r", "\u00a0\u2003", "\u3000\u2029", "\u000b\u000c"]
MARKS = ["", "[mock:call]", "[mock:call-all]", "[mock:two-texts]", "[mock:redacted]", "[mock:stop=refusal]", "[mock:stop=pause_turn]"]
PICTURES = [PIXEL, "data:image/jpeg;base64,/9j/4AAQ", "data:image/webp;base64,UklGRg==", "https://example.org/a.png?b=c&d=%20", "https://example.org/caf\u00e9"]
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
IDS = ["call_1", "toolu_01-A", "call.1", "call 2", "call:3|4", "\u00e9\U0001f600", "fc_" + "0" * 60, 'a"b\\c', "call/5+6="]
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def some(rng, **makers):
    """About a third of the members."""
    return {name: make() for name, make in makers.items() if rng.random() < 0.3}


def many(rng, make, most):
    return [make() for _ in range(rng.randint(1, most))]


def text(rng, blanks=True):
    return rng.choice(BLANKS) if blanks and rng.random() < 0.1 else rng.choice(WORDS)


def schema(rng, closed, depth=0):
    kinds = ["string", "number", "enum", "array", "either", *(["object"] * (depth < 2))]
    kind = "object" if depth == 0 else rng.choice(kinds)
    if kind == "object":
        names = rng.sample(["city", "order_id", "type", "properties", "caf\u00e9", "a b", "$x", "items"], rng.randint(1, 3))
        made = {"type": "object", "properties": {name: schema(rng, closed, depth + 1) for name in names}}
        return made | ({"required": names, "additionalProperties": False} if closed or rng.random() < 0.5 else {})
    if kind == "array":
        return {"type": "array", "items": schema(rng, closed, depth + 1), **some(rng, minItems=lambda: 2, maxItems=lambda: 9)}
    if kind == "either":
        return {"anyOf": [schema(rng, closed, depth + 1), {"type": "null"}]}
    if kind == "enum":
        return {"enum": ["a", "minimum", None], "description": text(rng)}
    return {"type": kind, **some(rng, description=lambda: text(rng), maxLength=lambda: 5, minimum=lambda: 0, default=lambda: {"minimum": 1})}


def functions(rng):
    """The inside of tools, each of another name."""
    names = rng.sample(["get_order", "get-time", "A", "x" * 64, "caps_LOCK-9"], rng.randint(1, 3))
    tools = []
    for name in names:
        strict = rng.choice([True, False, None])
        makers = {"description": lambda: text(rng), "parameters": lambda: rng.choice([{}, {"properties": {}}, schema(rng, False)])}
        tools.append({"name": name, **some(rng, **makers)})
        if strict is not None:
            tools[-1] |= {"strict": strict, "parameters": schema(rng, strict)}
    return tools


def arguments(rng):
    given = {name: rng.choice([1, -2.5e-7, None, True, text(rng), [{}], {"a": {}}]) for name in rng.sample(["id", "caf\u00e9", ""], rng.randint(0, 2))}
    return rng.choice(["", " {} ", json.dumps(given), json.dumps(given, ensure_ascii=False, indent=1)])


def settings(rng, limit):
    """What both APIs know."""
    return some(
        rng, temperature=lambda: rng.choice([0, 0.7, 1, 1.5]), top_p=lambda: rng.choice([0.1, 0.95, 1]), parallel_tool_calls=lambda: rng.random() < 0.5,
        user=lambda: rng.choice(["u-1", "\u00fc \U0001f600", "me@example.org", "+43 1 234567"]), metadata=lambda: rng.choice([{}, {"a": "b"}]),
        service_tier=lambda: rng.choice(["auto", "default", "flex"]), prompt_cache_key=lambda: "k", store=lambda: False,
        safety_identifier=lambda: "s-1", **{limit: lambda: rng.choice([16, 99, 2000, 8000, 32000])},
    )


# Chat Completions.


def chat_parts(rng, media):
    kinds = {
        "text": lambda: {"type": "text", "text": text(rng)},
        "image": lambda: {"type": "image_url", "image_url": {"url": rng.choice(PICTURES), **some(rng, detail=lambda: rng.choice(["auto", "low", "high"]))}},
        "file": lambda: {"type": "file", "file": {"file_data": PDF, "filename": 'a "b" \u00e9.pdf'}},
    }
    return many(rng, lambda: kinds[rng.choice(["text", *(["image", "file"] * media)])](), 3)


def chat_content(rng, media=False):
    return text(rng) if rng.random() < 0.5 else chat_parts(rng, media)


def chat_loop(rng, names):
    """Calls and their results, in order."""
    calls = [{"id": id, "type": "function", "function": {"name": rng.choice(names), "arguments": arguments(rng)}} for id in rng.sample(IDS, rng.randint(1, 3))]
    asked = {"role": "assistant", "tool_calls": calls, **some(rng, content=lambda: rng.choice([None, chat_content(rng)]))}
    return [asked, *({"role": "tool", "tool_call_id": call["id"], "content": chat_content(rng)} for call in calls)]


def chat(rng, model):
    tools = functions(rng)
    names = [tool["name"] for tool in tools]
    messages = []
    for _ in range(rng.randint(0, 3)):
        messages += rng.choice([
            lambda: [{"role": rng.choice(["system", "developer"]), "content": chat_content(rng)}],
            lambda: [{"role": "user", "content": chat_content(rng, media=True), **some(rng, name=lambda: "Ann")}],
            lambda: [{"role": "assistant", "content": chat_content(rng)}],
            lambda: [{"role": "assistant", "content": None, "refusal": text(rng)}],
        ])()
    if rng.random() < 0.3:
        messages += [{"role": "user", "content": text(rng, False)}, *chat_loop(rng, names)]
    if rng.random() < 0.7 or not messages or messages[-1]["role"] not in ["tool", "user"]:
        messages.append({"role": "user", "content": f"{text(rng, False)} {rng.choice(MARKS)}"})
    body = {"model": model, "messages": messages, **settings(rng, rng.choice(["max_tokens", "max_completion_tokens"]))}
    if rng.random() < 0.6:
        function = lambda name: {"type": "function", "function": {"name": name}}
        body["tools"] = [{"type": "function", "function": tool} for tool in tools]
        allowed = lambda: {"type": "allowed_tools", "allowed_tools": {"mode": rng.choice(["auto", "required"]), "tools": [function(names[-1])]}}
        body |= some(rng, tool_choice=lambda: rng.choice(["none", "auto", "required", function(names[0]), allowed()]))
    elif body.pop("parallel_tool_calls", None) is None:
        json_schema = lambda: {"name": "n", "schema": schema(rng, True), **some(rng, strict=lambda: True, description=lambda: "d")}
        forms = [lambda: {"type": "text"}, lambda: {"type": "json_object"}] + [lambda: {"type": "json_schema", "json_schema": json_schema()}] * 3
        body |= some(rng, response_format=lambda: rng.choice(forms)())
    body |= some(rng, stop=lambda: rng.choice(["END", ["END", "\n", "caf\u00e9"], "\n", [" ", ""], "made up"]), reasoning_effort=lambda: rng.choice(EFFORTS))
    if rng.random() < 0.3:
        body |= some(
            rng, n=lambda: rng.choice([1, 2]), seed=lambda: 7, logit_bias=lambda: rng.choice([{}, {"50256": -100}]), verbosity=lambda: "low",
            presence_penalty=lambda: rng.choice([0, 0.5]), frequency_penalty=lambda: -0.5, logprobs=lambda: rng.random() < 0.5,
            modalities=lambda: ["text"], prediction=lambda: {"type": "content", "content": "x"},
        )
    if rng.random() < 0.5:
        options = lambda: {"include_usage": rng.random() < 0.5, **some(rng, include_obfuscation=lambda: True)}
        body |= {"stream": True, **some(rng, stream_options=options)}
    return body


def _part(part):
    return lambda body: body["messages"].append({"role": "user", "content": [part]})


def _called(arguments):
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return lambda body: body["messages"].extend([{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "x"}])


_open = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "additionalProperties": {"type": "string"}}}}
# What is asked for, the field of the refusal, and how a request comes to ask for it.
CHAT_REFUSED = [
    ("messages", _part({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}})),
    ("messages", _part({"type": "file", "file": {"file_id": "file-1"}})),
    ("messages", _part({"type": "file", "file": {"file_data": "data:text/plain;base64,eA==", "filename": "a.txt"}})),
    ("messages", _part({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,Qk0="}})),
    ("messages", _called("[1]")),
    ("messages", _called('{"a": ')),
    ("tools", lambda body: body.setdefault("tools", []).append({"type": "custom", "custom": {"name": "shell"}})),
    ("functions", lambda body: body.update(functions=[{"name": "f"}])),
    ("response_format", lambda body: body.update(response_format=_open)),
    ("web_search_options", lambda body: body.update(web_search_options={})),
    ("audio", lambda body: body.update(modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"})),
]


# Responses.


def response_content(rng, media):
    kinds = {
        "text": lambda: {"type": "input_text", "text": text(rng)},
        "image": lambda: {"type": "input_image", "image_url": rng.choice(PICTURES), "detail": rng.choice(["auto", "low", "high"])},
        "file": lambda: {"type": "input_file", "file_data": PDF, "filename": "a.pdf"},
    }
    parts = lambda: many(rng, lambda: kinds[rng.choice(["text", *(["image", "file"] * media)])](), 3)
    return text(rng) if rng.random() < 0.5 else parts()


def response_loop(rng, names):
    ids = rng.sample(IDS, rng.randint(1, 3))
    calls = [{"type": "function_call", "call_id": id, "name": rng.choice(names), "arguments": arguments(rng)} for id in ids]
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": text(rng)}]}
    output = lambda: rng.choice([text(rng), [{"type": "input_text", "text": text(rng)}]])
    return [*([thought] * (rng.random() < 0.3)), *calls, *({"type": "function_call_output", "call_id": id, "output": output()} for id in ids)]


def response(rng, model):
    tools = functions(rng)
    names = [tool["name"] for tool in tools]
    items = []
    for _ in range(rng.randint(0, 3)):
        said = [{"type": "output_text", "text": text(rng), "annotations": []}, {"type": "refusal", "refusal": text(rng)}]
        items.append(rng.choice([
            lambda: {"role": rng.choice(["system", "developer"]), "content": response_content(rng, False)},
            lambda: {"role": "user", "content": response_content(rng, True), **some(rng, type=lambda: "message")},
            lambda: {"role": "assistant", "content": text(rng)},
            lambda: {"role": "assistant", "type": "message", "id": "msg_1", "status": "completed", "content": said[: rng.randint(1, 2)]},
        ])())
    if rng.random() < 0.3:
        items += [{"role": "user", "content": text(rng, False)}, *response_loop(rng, names)]
    if rng.random() < 0.7 or not items or items[-1].get("role", "tool") not in ["tool", "user"]:
        items.append({"role": "user", "content": f"{text(rng, False)} {rng.choice(MARKS)}"})
    body = {"model": model, "input": items, **settings(rng, "max_output_tokens")}
    if rng.random() < 0.2:
        body["input"] = f"{text(rng, False)} {rng.choice(MARKS)}"
    if rng.random() < 0.6:
        body["tools"] = [{"type": "function", "parameters": None, "strict": None, **tool} for tool in tools]
        allowed = lambda: {"type": "allowed_tools", "mode": rng.choice(["auto", "required"]), "tools": [{"type": "function", "name": names[-1]}]}
        body |= some(rng, tool_choice=lambda: rng.choice(["none", "auto", "required", {"type": "function", "name": names[0]}, allowed()]))
    elif body.pop("parallel_tool_calls", None) is None:
        form = lambda: rng.choice([{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "name": "n", "schema": schema(rng, True)}])
        body |= some(rng, text=lambda: {**some(rng, verbosity=lambda: "low"), **some(rng, format=form)})
    body |= some(
        rng, stream=lambda: True, instructions=lambda: text(rng), truncation=lambda: rng.choice(["auto", "disabled"]), max_tool_calls=lambda: 3,
        reasoning=lambda: {"effort": rng.choice(EFFORTS), **some(rng, summary=lambda: "auto")}, top_logprobs=lambda: rng.choice([0, 2]),
        include=lambda: rng.choice([[], ["message.output_text.logprobs"], ["reasoning.encrypted_content"]]),
    )
    return body


def _items(*more):
    def add(body):
        first = body["input"] if isinstance(body["input"], list) else [{"role": "user", "content": body["input"]}]
        body["input"] = [*first, *more]

    return add


def _input(part):
    return _items({"role": "user", "content": [part]})


def _tool(tool):
    return lambda body: body.update(tools=[*body.get("tools", []), tool])


_result = {"type": "function_call_output", "call_id": "c", "output": "x"}
RESPONSE_REFUSED = [
    ("input", _input({"type": "input_file", "file_id": "file-1"})),
    ("input", _input({"type": "input_image", "detail": "auto", "image_url": "data:image/bmp;base64,Qk0="})),
    ("input", _items({"type": "function_call", "call_id": "c", "name": "f", "arguments": "[]"}, _result)),
    ("input", _items({"type": "custom_tool_call", "call_id": "c", "name": "f", "input": "ls"}, {**_result, "type": "custom_tool_call_output"})),
    ("tools", _tool({"type": "custom", "name": "shell"})),
    ("tools", _tool({"type": "web_search"})),
    ("text", lambda body: body.update(text={"format": {"type": "json_schema", **_open["json_schema"]}})),
    ("store", lambda body: body.update(store=True)),
    ("background", lambda body: body.update(background=True)),
]
