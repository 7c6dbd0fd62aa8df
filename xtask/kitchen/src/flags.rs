//! Flags that `cargo xtask` takes as well, and hands on: it is too light to depend on what they are for.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

/// The port for others, where none is named.
const PORT_FOR_OTHERS: u16 = 4849;

/// Flags of `kitchen`.
#[derive(Clone, Debug, Default, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(group = ArgGroup::new("protection").args(["tls_cert", "insecure"]))]
pub(crate) struct KitchenFlags {
    #[command(subcommand)]
    pub(crate) task: Option<KitchenTask>,

    /// Port on 127.0.0.1; 0 for any that is free
    #[arg(long, value_name = "PORT", default_value_t = 4848)]
    pub(crate) port: u16,

    /// Open the page in a browser, also that of a Kitchen that runs already
    #[arg(long)]
    pub(crate) open: bool,

    /// Listen for others as well, on this address [default port: 4849]
    #[arg(long, value_name = "ADDRESS", value_parser = address, requires = "protection")]
    pub(crate) host: Option<SocketAddr>,

    /// Names by which others ask, with commas between them [default: the address]
    #[arg(long = "name", value_name = "NAME", value_delimiter = ',', value_parser = name, requires = "host")]
    pub(crate) names: Vec<String>,

    /// Certificate chain for others, a PEM file
    #[arg(long, value_name = "FILE", value_parser = path, requires = "host", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Its private key, a PEM file
    #[arg(long, value_name = "FILE", value_parser = path, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Have others come without TLS, in a network where nobody listens
    #[arg(long, requires = "host")]
    pub(crate) insecure: bool,

    /// How many builds run at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) at_once: u8,

    #[command(flatten)]
    pub(crate) keep: KeepFlags,
}

/// How much of the history is kept.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct KeepFlags {
    /// Days for which a build stays in the history [default: 90]
    #[arg(long = "keep-days", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: Option<u32>,

    /// Builds that stay in the history [default: 10000]
    #[arg(long = "keep-builds", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) builds: Option<u32>,

    /// MiB that .kitchen may have; the oldest logs go first [default: 2048]
    #[arg(long = "keep-size", value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) size: Option<u32>,
}

/// What can be asked of a Kitchen that runs, from a shell.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KitchenTask {
    /// List the latest builds, and those that wait
    Builds,
    /// Print what a build has printed
    Logs {
        /// The build's number
        build: u32,
        /// Go on until the build ends, and fail where it failed
        #[arg(long, short)]
        follow: bool,
    },
    /// Print all that is known of a build, or of each in the history, as JSON
    Export {
        /// The build's number [default: every build, one a line]
        build: Option<u32>,
    },
    /// End a build, or take it out of the queue
    Kill {
        /// The build's number
        build: u32,
    },
}

/// An address with or without a port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let alone = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, PORT_FOR_OTHERS));
    let address = alone.or_else(|_| text.parse());
    address.map_err(|_| "an address is needed, such as 192.168.1.5, 0.0.0.0:4849 or [::]:4849".to_owned())
}

/// A name of a host, without a port.
fn name(text: &str) -> Result<String, String> {
    let is_name =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if is_name { Ok(text.to_owned()) } else { Err("letters, digits, dots and hyphens only".to_owned()) }
}

/// A path from where the command was typed, whichever folder the program runs in.
fn path(text: &str) -> std::io::Result<PathBuf> {
    std::path::absolute(text)
}
