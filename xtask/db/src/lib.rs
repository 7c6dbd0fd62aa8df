//! Throw-away database servers: started in a temporary folder on a free port, gone without a trace afterwards.
//!
//! ```no_run
//! use xtask_db::{Backend, Options, Server};
//!
//! let mut server = Server::start(Backend::Postgres, Options::default())?;
//! println!("{}", server.url());
//! server.kill()?; // a crash
//! server.start_again()?;
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! Dropping a [`Server`] ends it and removes its folder. So does the end of the process that owns it, even by SIGKILL.

pub mod queries;
mod running;
mod server;
pub mod sql;

pub use db_servers::{Backend, Source};
pub use server::{Options, Server};
