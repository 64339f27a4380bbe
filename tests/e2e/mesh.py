"""What Istio and Envoy Gateway make of the manifests in envoy/mesh: an Envoy configuration, on loopback.

Not these programs, but what they are documented, and in their sources seen, to do with the few things that the manifests
use: the shape of the listener, routes and clusters; the merging of EnvoyFilter (messages merged, lists appended, entries of
maps replaced) and JSON Patch of EnvoyPatchPolicy. TLS to the providers is left out, and what is fetched from elsewhere (the
image, secrets, discovered configuration) comes from files.
"""

import copy
import json
import re

import jsonpatch
import yaml
from conftest import ROOT

MESH = ROOT / "envoy/mesh"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
INJECTOR = "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"
GENERIC = "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic"
CODEC = "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
# As in conftest.py: what one test does to a model does not concern the next.
NO_REST = {"cooldown": {"maximum_seconds": 0}}
WASM = str(ROOT / "target/model_router.wasm")


def documents(name):
    return [document for document in yaml.safe_load_all((MESH / f"{name}.yaml").read_text()) if document]


def of_kind(found, kind):
    return {document["metadata"]["name"]: document["spec"] for document in found if document["kind"] == kind}


def policy(name):
    """The policy that a manifest holds."""
    def search(node):
        if isinstance(node, dict):
            if "routers" in node:
                return node
            node = list(node.values())
        return next(filter(None, map(search, node)), None) if isinstance(node, list) else None
    return search(documents(name))


def listener(name, routes, filters, limit):
    manager = {"@type": MANAGER, "stat_prefix": "http", "use_remote_address": True,
               "route_config": {"name": name, "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
               "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]}
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {"name": name, "address": at(10000), "per_connection_buffer_limit_bytes": limit, "filter_chains": [chain]}


def at(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def cluster(name, port, limit):
    endpoint = {"endpoint": {"address": at(port)}}
    return {"name": name, "type": "STATIC", "connect_timeout": "2s", "per_connection_buffer_limit_bytes": limit,
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}}


def bootstrap(listeners, clusters):
    return {"node": {"id": "gateway", "cluster": "gateway"}, "admin": {"address": at(9901)}, "static_resources": {"listeners": listeners, "clusters": clusters}}


# Ports as in envoy/envoy.yaml, which conftest.py replaces.
PORTS = {"api.openai.com": 9101, "api.anthropic.com": 9103}


def istio(name, directory):
    """What Istio's gateway runs with."""
    found = documents(name)
    clusters, services = [], {}
    for entry in of_kind(found, "ServiceEntry").values():
        [host], [port] = entry["hosts"], entry["ports"]
        clusters.append(cluster(f"outbound|{port['number']}||{host}", PORTS[host], 1048576))
        services[clusters[-1]["name"]] = host
    [virtual] = of_kind(found, "VirtualService").values()
    routes = [istio_route(rule) for rule in virtual["http"]]
    whole = bootstrap([listener("http.8080", routes, [], 32768)], clusters)
    [patches] = of_kind(found, "EnvoyFilter").values()
    discovered = []
    for patch in patches["configPatches"]:
        apply(whole, services, patch, discovered)
    return with_files(whole, discovered, directory)


def istio_route(rule):
    route = {"name": rule["name"], "match": {"prefix": "/"}}
    for match in rule.get("match", []):
        route["match"]["headers"] = [{"name": key, "string_match": value} for key, value in match["headers"].items()]
    request = rule.get("headers", {}).get("request", {})
    route["request_headers_to_add"] = [
        {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"} for key, value in request.get("set", {}).items()]
    route["request_headers_to_remove"] = request.get("remove", [])
    if "directResponse" in rule:
        return {**route, "direct_response": rule["directResponse"]}
    [target] = rule["route"]
    retries = rule["retries"]
    name = f"outbound|{target['destination']['port']['number']}||{target['destination']['host']}"
    return {**route, "route": {"cluster": name, "timeout": rule["timeout"], "retry_policy": {
        "num_retries": retries["attempts"], "per_try_timeout": retries["perTryTimeout"], "retry_on": retries["retryOn"]}}}


def merge(into, patch):
    for key, value in patch.items():
        if isinstance(value, dict) and key != "typed_extension_protocol_options":
            merge(into.setdefault(key, {}), value)
        elif isinstance(value, list):
            into[key] = into.get(key, []) + value
        else:
            into[key] = {**into.get(key, {}), **value} if isinstance(value, dict) else value


def apply(whole, services, patch, discovered):
    """Does what one patch of an EnvoyFilter says."""
    [ingress] = whole["static_resources"]["listeners"]
    manager = ingress["filter_chains"][0]["filters"][0]["typed_config"]
    operation, value, match = patch["patch"]["operation"], copy.deepcopy(patch["patch"]["value"]), patch.get("match", {})
    assert match.get("context", "GATEWAY") == "GATEWAY"
    match patch["applyTo"], operation:
        case "BOOTSTRAP", "MERGE":
            merge(whole, value)
        case "LISTENER", "MERGE":
            merge(ingress, value)
        case "CLUSTER", "MERGE":
            wanted = match.get("cluster", {}).get("service")
            for each in whole["static_resources"]["clusters"]:
                if wanted in (None, services[each["name"]]):
                    merge(each, value)
        case "EXTENSION_CONFIG", "ADD":
            discovered.append(value)
        case "HTTP_FILTER", "INSERT_BEFORE":
            before = match["listener"]["filterChain"]["filter"]["subFilter"]["name"]
            [place] = [place for place, each in enumerate(manager["http_filters"]) if each["name"] == before]
            manager["http_filters"].insert(place, value)
        case "HTTP_ROUTE", "INSERT_FIRST":
            [host] = manager["route_config"]["virtual_hosts"]
            host["routes"].insert(0, value)
        case other:
            raise AssertionError(other)


def with_files(whole, discovered, directory):
    """As Istio's agent gives it to Envoy: images fetched, and discovery from a file."""
    for resource in discovered:
        plugin = resource["typed_config"]["config"]
        plugin.get("configuration", {}).get("value", {}).update(NO_REST)
        code = plugin["vm_config"]["code"]
        assert code.pop("remote")["http_uri"]["uri"].startswith("oci://")
        code["local"] = {"filename": WASM}
        resource["@type"] = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
        (directory / f"{resource['name']}.json").write_text(json.dumps({"resources": [resource]}))
    def from_file(node):
        if isinstance(node, list):
            return [from_file(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "config_discovery" in node:
            path = str(directory / f"{node['name']}.json")
            source = {"path_config_source": {"path": path}, "resource_api_version": "V3"}
            kinds = node["config_discovery"]["type_urls"]
            return {**node, "config_discovery": {"config_source": source, "type_urls": kinds}}
        return {key: from_file(value) for key, value in node.items()}
    return from_file(whole)


def envoy_gateway(name, directory):
    """What Envoy Gateway's proxy runs with."""
    found = documents(name)
    hosts = {backend: spec["endpoints"][0]["fqdn"]["hostname"] for backend, spec in of_kind(found, "Backend").items()}
    keys = of_kind(found, "HTTPRouteFilter")
    [(policy_name, policies)] = of_kind(found, "EnvoyExtensionPolicy").items()
    filters = [wasm_filter(policy_name, number, plugin) for number, plugin in enumerate(policies["wasm"])]
    enabled = {each["name"]: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}} for each in filters}
    [(route_name, spec)] = of_kind(found, "HTTPRoute").items()
    [traffic] = of_kind(found, "BackendTrafficPolicy").values()
    routes, clusters = [], []
    for number, rule in enumerate(spec["rules"]):
        [backend] = rule["backendRefs"]
        base = f"httproute/default/{route_name}/rule/{number}"
        clusters.append(cluster(f"{base}/backend/0" if "filters" in backend else base, PORTS[hosts[backend["name"]]], 16777216))
        for attached in backend.get("filters", []):
            key = attached["extensionRef"]["name"]
            clusters[-1]["typed_extension_protocol_options"] = {OPTIONS: injected(key, keys[key]["credentialInjection"])}
        routes.append(gateway_route(base, rule, clusters[-1]["name"], traffic["timeout"]["http"]["requestTimeout"]) | {"typed_per_filter_config": enabled})
    # The Gateway API puts the more specific rules first, whatever their order.
    routes.sort(key=lambda route: -len(route["match"].get("headers", [])))
    ingress = listener("default/model-router/http", routes, filters, 16777216)
    secrets = [{"name": f"credential_injector/credential/httproutefilter/default/{key}",
                "generic_secret": {"secret": {"inline_string": f"secret of {key}"}}} for key in keys]
    whole = bootstrap([ingress], clusters)
    whole["static_resources"]["secrets"] = secrets
    [proxy] = of_kind(found, "EnvoyProxy").values()
    whole |= yaml.safe_load(proxy["bootstrap"]["value"])
    for patch in of_kind(found, "EnvoyPatchPolicy")[policy_name]["jsonPatches"]:
        patch_resource(whole, patch)
    text = json.dumps(whole)
    return json.loads(text.replace("/model-router/plugin.wasm", WASM))


def wasm_filter(policy_name, number, plugin):
    name = f"envoyextensionpolicy/default/{policy_name}/wasm/{number}"
    code = {"local": {"filename": WASM}}
    text = json.dumps(plugin["config"] | NO_REST)
    configuration = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}
    config = {"name": plugin["name"], "root_id": plugin["rootID"], "configuration": configuration,
              "vm_config": {"vm_id": name, "runtime": "envoy.wasm.runtime.v8", "code": code}}
    return {"name": f"envoy.filters.http.wasm/{name}", "disabled": True,
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": config}}


def injected(name, injection):
    generic = {"@type": GENERIC, "credential": {"name": f"credential_injector/credential/httproutefilter/default/{name}"}}
    if "header" in injection:
        generic["header"] = injection["header"]
    credential = {"name": "envoy.http.injected_credentials.generic", "typed_config": generic}
    injector = {"@type": INJECTOR, "overwrite": injection["overwrite"], "credential": credential}
    return {"@type": f"type.googleapis.com/{OPTIONS}", "explicit_http_config": {"http_protocol_options": {}}, "http_filters": [
        {"name": f"envoy.filters.http.credential_injector/httproutefilter/default/{name}", "typed_config": injector},
        {"name": "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec", "typed_config": {"@type": CODEC}}]}


def gateway_route(base, rule, target, timeout):
    [match] = rule["matches"]
    route = {"name": f"{base}/match/0/*", "match": {"prefix": "/"}, "route": {"cluster": target, "timeout": timeout}}
    if "headers" in match:
        route["match"]["headers"] = [{"name": each["name"], "string_match": {"exact": each["value"]}} for each in match["headers"]]
    for each in rule.get("filters", []):
        assert each["type"] == "RequestHeaderModifier"
        route["request_headers_to_remove"] = each["requestHeaderModifier"]["remove"]
    return route


def patch_resource(whole, patch):
    """Does what one JSON Patch of an EnvoyPatchPolicy says."""
    static = whole["static_resources"]
    manager = static["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    kind = patch["type"].rsplit(".", 1)[-1]
    all_of = {"Listener": static["listeners"], "Cluster": static["clusters"], "RouteConfiguration": [manager["route_config"]]}[kind]
    [resource] = [each for each in all_of if each["name"] == patch["name"]]
    operation = patch["operation"]
    places = [""]
    if path := operation.get("jsonPath"):
        member, name, rest = re.fullmatch(r"\.\.(\w+)\[\?\(@\.name=='([^']+)'\)\]([\w.]*)", path).groups()
        places = [place + rest.replace(".", "/") for place in find(resource, member, name)]
    assert places, path
    for place in places:
        one = {"op": operation["op"], "path": place + operation["path"], "value": operation["value"]}
        jsonpatch.apply_patch(resource, [one], in_place=True)


def find(node, member, name, place=""):
    """Pointers to the entries of this name in lists that are members of this name."""
    inner = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else []
    found = []
    for key, value in inner:
        if key == member and isinstance(value, list):
            found += [f"{place}/{key}/{index}" for index, each in enumerate(value) if each.get("name") == name]
        found += find(value, member, name, f"{place}/{str(key).replace('~', '~0').replace('/', '~1')}")
    return found
