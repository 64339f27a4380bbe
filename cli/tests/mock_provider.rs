//! The binary: what it prints, and how it ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_says_where_it_listens_and_ends_on_signals() {
    for signal in ["-INT", "-TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_model-router"))
            .args(["mock-provider", "--provider", "openai=127.0.0.1:0", "--provider", "azure=127.0.0.1:0,azure"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines.take(2).map(Result::unwrap).collect();
        for (line, name) in lines.iter().zip(["openai", "azure"]) {
            let port = line.strip_prefix(&format!("mock provider {name} listens on 127.0.0.1:")).unwrap();
            std::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).unwrap();
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn it_refuses_an_address_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_model-router"))
        .args(["mock-provider", "--listen", &address, "--name", "mine"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(&format!("cannot listen on {address} for mine")), "{error}");
}
