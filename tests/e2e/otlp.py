"""A collector of OpenTelemetry's traces: what Envoy sends as OTLP over HTTP, by trace."""

import http.server
import threading

from conftest import wait_for
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


class Received:
    """A span, with its attributes as Python's values."""

    def __init__(self, resource, span):
        self.service = {one.key: value_of(one) for one in resource.attributes}["service.name"]
        self.name, self.id, self.parent, self.trace = span.name, span.span_id.hex(), span.parent_span_id.hex(), span.trace_id.hex()
        self.kind, self.status = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"), Status.StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_")
        self.began, self.ended = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = {one.key: value_of(one) for one in span.attributes}
        assert len(self.attributes) == len(span.attributes), "none comes twice"
        self.text = str(span)

    def __getitem__(self, name):
        return self.attributes.get(name)


def value_of(attribute):
    return getattr(attribute.value, attribute.value.WhichOneof("value"))


class Collector:
    """`answers`: else it takes what is sent and never says so."""

    def __init__(self, answers=True):
        self.spans, self.requests, over = [], [], threading.Event()
        self.over = over

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(handler):
                body = handler.chunks()
                self.requests.append((handler.path, handler.headers["content-type"]))
                for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    spans = [span for scope in of_resource.scope_spans for span in scope.spans]
                    self.spans.extend(Received(of_resource.resource, span) for span in spans)
                if not answers:
                    over.wait()
                handler.send_response(200)
                handler.send_header("content-length", "0")
                handler.end_headers()

            def chunks(handler):
                body = b""
                while size := int(handler.rfile.readline(), 16):
                    body += handler.rfile.read(size)
                    handler.rfile.readline()
                handler.rfile.readline()
                return body

            def log_message(handler, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def of(self, trace):
        """The span of a request and those of its attempts in their order, once the request's is there: it ends last."""
        mine = lambda: [span for span in list(self.spans) if span.trace == trace]
        wait_for(lambda: [span for span in mine() if span.kind == "SERVER"])
        [request] = [span for span in mine() if span.kind == "SERVER"]
        attempts = sorted((span for span in mine() if span is not request), key=lambda span: span.began)
        assert all(span.kind == "CLIENT" and span.parent == request.id for span in attempts)
        return request, attempts
