//! What `make bench` measures can be made of envoy/envoy.yaml as it is.

#[allow(dead_code)]
#[path = "../benches/envoy/config.rs"]
mod config;

use config::{Ports, Side, Upstreams};

#[test]
fn each_side_has_a_configuration() {
    let yaml = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../envoy/envoy.yaml")).unwrap();
    let upstreams = Upstreams { provider: 3, chat_only: 4, messages_only: 5, processor: 6 };
    let ports = Ports { listener: 1, admin: 2, upstreams };
    for side in [Side::Bare, Side::Idle, Side::Empty, Side::ExtProc, Side::Machinery, Side::Filter] {
        let document = config::of(side, &yaml, ports).unwrap_or_else(|error| panic!("{side:?}: {error:#}"));
        let clusters = document["static_resources"]["clusters"].as_array().unwrap();
        let port = |cluster: &serde_json::Value| {
            cluster
                .pointer("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/port_value")?
                .as_u64()
        };
        let ports: Vec<_> = clusters.iter().map(|cluster| port(cluster).unwrap()).collect();
        let expected: &[u64] = match side {
            Side::Bare | Side::Idle | Side::Empty => &[3],
            Side::ExtProc => &[3, 6],
            _ => &[3, 3, 5, 3, 4],
        };
        assert_eq!(ports, expected, "{side:?}");
    }
}
