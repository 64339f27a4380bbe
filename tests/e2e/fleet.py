"""What counts for a fleet in the tests: a real Redis, and a small server that speaks the gRPC protocol by which Envoy asks
its rate limit service (envoy.service.ratelimit.v3). The service itself is written in Go, whose modules a bare machine
cannot be sure to have; this one reads the same configuration file and counts in the same way, in windows of fixed length."""

import subprocess
import threading
import time
from concurrent import futures

import grpc
import redis
import yaml
from conftest import ROOT, free_port, wait_for
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SECONDS = {"minute": 60, "day": 86400}
UNITS = {"minute": 2, "day": 4}
OK, OVER_LIMIT = 1, 2
# Of Envoy's messages the fields that are used here: name, number, type, and whether there are many.
MESSAGES = {
    "Entry": [("key", 1, "string", False), ("value", 2, "string", False)],
    "Hits": [("value", 1, "uint64", False)],
    "Descriptor": [("entries", 1, "Entry", True), ("hits_addend", 3, "Hits", False)],
    "Request": [("domain", 1, "string", False), ("descriptors", 2, "Descriptor", True), ("hits_addend", 3, "uint32", False)],
    "Duration": [("seconds", 1, "int64", False)],
    "Limit": [("requests_per_unit", 1, "uint32", False), ("unit", 2, "int32", False)],
    "Status": [("code", 1, "int32", False), ("current_limit", 2, "Limit", False), ("limit_remaining", 3, "uint32", False),
               ("duration_until_reset", 4, "Duration", False)],
    "Response": [("overall_code", 1, "int32", False), ("statuses", 2, "Status", True)],
}


def _messages():
    file = descriptor_pb2.FileDescriptorProto(name="limits.proto", package="limits", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, many in fields:
            added = message.field.add(name=field, number=number, label=3 if many else 1)
            if kind in MESSAGES:
                added.type, added.type_name = added.TYPE_MESSAGE, f".limits.{kind}"
            else:
                added.type = getattr(added, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"limits.{name}")) for name in MESSAGES}


M = _messages()


class Redis:
    """A Redis of its own that keeps nothing on disk."""

    def __init__(self, directory):
        self.port = free_port()
        command = [ROOT / ".tools/redis/redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", directory]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port)
        wait_for(self.answers)

    def answers(self):
        try:
            return self.client.ping()
        except redis.ConnectionError:
            return False

    def stop(self):
        self.client.close()
        self.process.terminate()
        self.process.wait()


class RateLimit:
    """The service, with a configuration file as the real one reads it."""

    def __init__(self, file, store, port=None):
        document = yaml.safe_load(file.read_text())
        self.domain, self.store, self.seen = document["domain"], store, []
        self.limits = {(rule["key"], rule["value"]): rule["rate_limit"] for rule in document["descriptors"]}
        self.lock = threading.Lock()
        self.server = grpc.server(futures.ThreadPoolExecutor(4))
        handler = grpc.unary_unary_rpc_method_handler(
            self.decide, M["Request"].FromString, lambda response: response.SerializeToString())
        service = grpc.method_handlers_generic_handler("envoy.service.ratelimit.v3.RateLimitService", {"ShouldRateLimit": handler})
        self.server.add_generic_rpc_handlers([service])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port or 0}")
        self.server.start()

    def decide(self, request, _context):
        assert request.domain == self.domain
        statuses = [self.status(descriptor, request.hits_addend or 1) for descriptor in request.descriptors]
        over = any(status.code == OVER_LIMIT for status in statuses)
        return M["Response"](overall_code=OVER_LIMIT if over else OK, statuses=statuses)

    def status(self, descriptor, hits):
        [entry] = descriptor.entries
        if descriptor.HasField("hits_addend"):
            hits = descriptor.hits_addend.value
        with self.lock:
            self.seen.append((entry.key, entry.value, hits))
        limit = self.limits.get((entry.key, entry.value))
        if limit is None:
            return M["Status"](code=OK)
        seconds, most, now = SECONDS[limit["unit"]], limit["requests_per_unit"], int(time.time())
        key = f"{self.domain}_{entry.key}_{entry.value}_{now // seconds * seconds}"
        used = self.store.client.incrby(key, hits)
        self.store.client.expire(key, seconds)
        return M["Status"](
            code=OVER_LIMIT if used > most else OK,
            current_limit=M["Limit"](requests_per_unit=most, unit=UNITS[limit["unit"]]),
            limit_remaining=max(0, most - used),
            duration_until_reset=M["Duration"](seconds=seconds - now % seconds),
        )

    def stop(self):
        self.server.stop(None).wait()
