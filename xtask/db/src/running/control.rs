//! What can be done to a server that runs: ended as by a crash, paused, stopped, started again.

use anyhow::Result;
use anyhow::bail; // template: if "sqlite" in backends || pipeline_tests

use super::Running;
use crate::server::{Place, Server};

impl Server {
    /// Ends all of it by SIGKILL, as a crash does.
    ///
    /// # Errors
    /// When there is no server of ours to kill.
    pub fn kill(&mut self) -> Result<()> {
        self.running()?.kill()
    }

    /// Stops all of it by SIGSTOP: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn pause(&mut self) -> Result<()> {
        self.running()?.pause()
    }

    /// Lets a paused server go on.
    ///
    /// # Errors
    /// When there is no running server of ours.
    pub fn resume(&mut self) -> Result<()> {
        self.running()?.resume()
    }

    /// Ends it in an orderly way: connections are closed, all is written.
    ///
    /// # Errors
    /// When there is no server of ours, and when it does not end within half a minute.
    pub fn stop(&mut self) -> Result<()> {
        self.running()?.stop()
    }

    /// Starts it again after [`Server::kill`] or [`Server::stop`], on the same port with the same data, and waits until
    /// it answers.
    ///
    /// # Errors
    /// When there is no server of ours, when it runs already, and when it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.running()?.start_again()
    }

    fn running(&mut self) -> Result<&mut Running> {
        match &mut self.place {
            // template: if "sqlite" in backends || pipeline_tests
            Place::File(_) => bail!("there is no server that could be killed or stopped: it is a file"),
            // template: end
            Place::Running(running) => Ok(running),
        }
    }
}
