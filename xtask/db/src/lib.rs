//! Throw-away database servers: started in a temporary folder on a free port, gone without a trace afterwards.
//!
//! ```no_run
//! use xtask_db::{Backend, Options, Server};
//!
//! let server = Server::start(Backend::ALL[0], Options::default())?;
//! println!("{}", server.url());
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! Dropping a [`Server`] ends it and removes its folder. So does the end of the process that owns it, even by SIGKILL.

pub mod queries;
mod running; // template: if "postgres" in backends || "mysql" in backends || pipeline_tests
mod server;
pub mod sql;

pub use db_servers::{Backend, Source};
pub use server::{Options, Server};
