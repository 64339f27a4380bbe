"""What the SDKs publish of the types of requests, as validators that take nothing else."""

import pydantic
import pydantic_core


def validator(published):
    """Judges JSON by a type of parameters: no member that it does not name, no value of another type."""
    return pydantic_core.SchemaValidator(_closed(pydantic.TypeAdapter(published).core_schema))


def _closed(schema):
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if isinstance(schema, tuple):
        return tuple(_closed(item) for item in schema)
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in schema.items()}
    kind = closed.get("type")
    # What answers say may be sent back; models of it take any member.
    if kind == "model":
        return closed["schema"] | ({"ref": closed["ref"]} if "ref" in closed else {})
    if kind in ["typed-dict", "model-fields"]:
        closed.pop("extras_schema", None)
        closed |= {"extra_behavior": "forbid"}
    # What is iterable is otherwise looked at by whoever iterates: by nobody.
    if kind == "generator":
        closed["type"] = "list"
    return closed
