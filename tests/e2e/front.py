"""What stands before the mocks where the protocol matters: an Envoy that ends TLS and HTTP/2, with certificates."""

import datetime
import json
import subprocess

import httpx
import yaml
from conftest import envoy_binary, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LISTENER = """
name: %(name)s
address: {socket_address: {address: 127.0.0.1, port_value: %(port)d}}
listener_filters:
- name: inspector
  typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}
"""

# Says to the mock what came in.
HTTP = """
filters:
- name: http
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
    stat_prefix: front
    route_config:
      virtual_hosts:
      - name: all
        domains: ["*"]
        request_headers_to_add:
        - {header: {key: x-seen-protocol, value: "%%PROTOCOL%%"}}
        - {header: {key: x-seen-name, value: "%%REQUESTED_SERVER_NAME%%"}}
        routes:
        - match: {prefix: /}
          route: {cluster: %(mock)s, timeout: 0s}
    http_filters:
    - name: router
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
"""

TLS = """
filter_chain_match: {server_names: [%(asked)s]}
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
    common_tls_context:
      alpn_protocols: %(alpn)s
      tls_certificates:
      - {certificate_chain: {filename: %(certificate)s}, private_key: {filename: %(key)s}}
"""

CLUSTER = """
name: %(name)s
load_assignment: {cluster_name: %(name)s, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %(port)d}}}}]}]}
"""


class Authority:
    """Signs what servers prove their names with. `file` is for those who trust it."""

    def __init__(self, directory):
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name.from_rfc4514_string("CN=authority of a test")
        self.file = directory / "authority.pem"
        self.file.write_bytes(self._sign(self.name, self.key, x509.BasicConstraints(ca=True, path_length=0)))

    def server(self, name):
        """Files with a certificate of this name, and its key."""
        return self._proof(name, x509.DNSName(name))

    def client(self, uri):
        """The same for a client with this URI."""
        return self._proof(uri.rsplit("/", 1)[-1], x509.UniformResourceIdentifier(uri))

    def _proof(self, file, name):
        certificate, private = self.directory / f"{file}.pem", self.directory / f"{file}.key"
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name.from_rfc4514_string("CN=somebody in a test")
        certificate.write_bytes(self._sign(subject, key, x509.SubjectAlternativeName([name])))
        form = serialization.PrivateFormat.PKCS8
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
        return {"certificate": certificate, "key": private}

    def _sign(self, subject, key, extension):
        now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - day)
        builder = builder.not_valid_after(now + day).add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class Front:
    """`names`: by the name that a client asks for, the mock that is meant, the name that is proved, and the protocols
    that are offered. Who asks for no such name is not served. `plain`: the mock that is reached without TLS."""

    def __init__(self, directory, version, mocks, authority, names, plain):
        self.tls_port, self.plain_port, admin_port = free_port(), free_port(), free_port()
        with_tls = yaml.safe_load(LISTENER % {"name": "tls", "port": self.tls_port})
        with_tls["filter_chains"] = [
            yaml.safe_load(HTTP % {"mock": mock})
            | yaml.safe_load(TLS % {"asked": asked, "alpn": json.dumps(alpn), **authority.server(proved)})
            for asked, (mock, proved, alpn) in names.items()
        ]
        without = yaml.safe_load(LISTENER % {"name": "plain", "port": self.plain_port})
        without["filter_chains"] = [yaml.safe_load(HTTP % {"mock": plain})]
        clusters = [yaml.safe_load(CLUSTER % {"name": name, "port": mock.port}) for name, mock in mocks.items()]
        document = {
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin_port}}},
            "static_resources": {"listeners": [with_tls, without], "clusters": clusters},
        }
        config, log = directory / f"front-{version}.yaml", directory / f"front-{version}.log"
        config.write_text(yaml.safe_dump(document))
        command = [envoy_binary(version), "-c", config, "--concurrency", "1", "--disable-hot-restart"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        ready = lambda: httpx.get(f"http://127.0.0.1:{admin_port}/ready").text == "LIVE\n"
        wait_for(lambda: self.process.poll() is not None or ready())
        assert self.process.poll() is None, log.read_text()

    def stop(self):
        self.process.terminate()
        self.process.wait()
