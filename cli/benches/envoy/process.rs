//! Processes of a measurement. Each is killed, by its id, when its owner goes: at the end, on an error, on a signal.

use crate::calls::ROUTER;
use crate::config::{self, Ports, Side, Upstreams};
use crate::{litellm, load};
use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// The core on which the Envoys run, and what stands in their place.
const ENVOY_CORE: usize = 0;

/// What is the same for all processes.
pub struct Setting<'s> {
    /// Of the repository.
    pub root: &'s Path,
    /// Envoy.
    pub program: &'s Path,
    /// The text of envoy/envoy.yaml.
    pub yaml: &'s str,
}

/// A running process.
pub struct Process {
    child: Child,
    /// Requests.
    pub port: u16,
    /// Where it says how it is: an Envoy's statistics. Elsewhere the same port.
    pub admin: u16,
}

/// A mock provider, three times in one process.
struct Mock {
    process: Process,
    /// Where it only speaks Chat Completions.
    chat_only: u16,
    /// Where it only speaks Messages.
    messages_only: u16,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Mock {
    /// A mock provider that sends `pace` events per second, or everything at once for 0.
    async fn start(root: &Path, pace: u32) -> anyhow::Result<Self> {
        let (port, chat_only, messages_only) = (free_port()?, free_port()?, free_port()?);
        let program = root.join("target/release/model-router");
        let mut command = Command::new(&program);
        let options = ["mock-provider", "--record", "off", "--token-rate", &pace.to_string()].map(String::from);
        command.args(options).args(["--listen", &format!("127.0.0.1:{port}")]).stdout(Stdio::null());
        command.args(["--provider", &format!("chat-only=127.0.0.1:{chat_only},chat-only")]);
        command.args(["--provider", &format!("messages-only=127.0.0.1:{messages_only},messages-only")]);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let mut process = Process { child, port, admin: port };
        for port in [port, chat_only, messages_only] {
            process.wait_for(port, "/_mock/faults").await.context("the mock provider")?;
        }
        Ok(Mock { process, chat_only, messages_only })
    }
}

impl Process {
    /// Waits until `path` answers 200.
    async fn wait_for(&mut self, port: u16, path: &str) -> anyhow::Result<()> {
        self.wait_until(async || load::get(port, path).await.is_ok()).await
    }

    /// Fails when the process has ended, or after a minute.
    async fn wait_until(&mut self, ready: impl AsyncFn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !ready().await {
            if let Some(status) = self.child.try_wait()? {
                bail!("ended: {status}");
            }
            ensure!(Instant::now() < deadline, "did not get ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// CPU time of all its threads. `schedstat` has what `stat` rounds to hundredths of a second.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            nanoseconds += text.split(' ').next().context("an empty schedstat")?.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// An Envoy's statistics, in Prometheus's format.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        load::get(self.admin, "/stats/prometheus").await
    }

    /// Resident memory in bytes.
    pub fn rss(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

/// A mock provider and, in front of it, a process for each side.
pub struct Servers {
    mock: Mock,
    // Needed after the start by its Envoy alone.
    _processor: Option<Process>,
    by_side: BTreeMap<Side, Process>,
}

impl Servers {
    /// Starts them, the mock provider always. `pace`: see [`Mock::start`].
    pub async fn start(setting: &Setting<'_>, pace: u32, sides: &[Side]) -> anyhow::Result<Self> {
        let mock = Mock::start(setting.root, pace).await?;
        let processor = if sides.contains(&Side::ExtProc) { Some(start_processor().await?) } else { None };
        let upstreams = Upstreams {
            provider: mock.process.port,
            chat_only: mock.chat_only,
            messages_only: mock.messages_only,
            processor: processor.as_ref().map_or(0, |process| process.port),
        };
        let mut by_side = BTreeMap::new();
        for side in sides {
            let process = match side {
                Side::Direct => continue,
                Side::LiteLlm => start_litellm(setting, upstreams.provider).await?,
                envoy => start_envoy(setting, *envoy, upstreams).await?,
            };
            by_side.insert(*side, process);
        }
        Ok(Servers { mock, _processor: processor, by_side })
    }

    /// One of them.
    pub fn of(&self, side: Side) -> anyhow::Result<&Process> {
        let found = if side == Side::Direct { Some(&self.mock.process) } else { self.by_side.get(&side) };
        found.with_context(|| format!("{side:?} was not started"))
    }
}

/// Runs beside the load, not beside Envoy.
async fn start_processor() -> anyhow::Result<Process> {
    let port = free_port()?;
    let program = std::env::current_exe()?;
    let child = Command::new(program).args(["--ext-proc", &port.to_string()]).stdin(Stdio::null()).spawn()?;
    let mut process = Process { child, port, admin: port };
    let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    process.wait_until(listens).await.context("the external processor")?;
    Ok(process)
}

async fn start_envoy(setting: &Setting<'_>, side: Side, upstreams: Upstreams) -> anyhow::Result<Process> {
    let ports = Ports { listener: free_port()?, admin: free_port()?, upstreams };
    let (config, log) = files(setting, side, &config::of(side, setting.yaml, ports)?)?;
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &ENVOY_CORE.to_string()]).arg(setting.program).arg("--config-path").arg(config);
    command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]);
    // The configuration's paths are relative to the root. Its access log goes to the standard output.
    command.current_dir(setting.root).stdout(Stdio::null()).stderr(fs::File::create(&log)?);
    let child = command.spawn().context("cannot start taskset (of util-linux)")?;
    let mut process = Process { child, port: ports.listener, admin: ports.admin };
    process.wait_for(ports.admin, "/ready").await.with_context(|| format!("Envoy; see {}", log.display()))?;
    Ok(process)
}

/// Runs where the Envoys do.
async fn start_litellm(setting: &Setting<'_>, provider: u16) -> anyhow::Result<Process> {
    let port = free_port()?;
    let (config, log) = files(setting, Side::LiteLlm, &litellm::config(ROUTER, provider))?;
    let mut command = litellm::command(setting.root, &config, port, ENVOY_CORE);
    // It looks for settings in its directory.
    command.current_dir(config.parent().context("a file without a directory")?);
    command.stdout(Stdio::null()).stderr(fs::File::create(&log)?);
    let mut process = Process { child: command.spawn()?, port, admin: port };
    let ready = process.wait_for(port, "/health/liveliness").await;
    ready.with_context(|| format!("LiteLLM; see {}", log.display()))?;
    Ok(process)
}

/// Writes the configuration of a side. Where it is, and where to log to.
fn files(setting: &Setting<'_>, side: Side, config: &Value) -> anyhow::Result<(PathBuf, PathBuf)> {
    let directory = setting.root.join("target/bench");
    fs::create_dir_all(&directory)?;
    let file = |ending: &str| -> PathBuf { directory.join(format!("{side:?}.{ending}").to_lowercase()) };
    fs::write(file("json"), config.to_string())?;
    Ok((file("json"), file("log")))
}

/// Binds this process, and what it starts, to a core.
pub fn pin_self(core: usize) -> anyhow::Result<()> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "--pid", &core.to_string(), &std::process::id().to_string()]).stdout(Stdio::null());
    ensure!(command.status().context("cannot start taskset (of util-linux)")?.success(), "taskset failed");
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
