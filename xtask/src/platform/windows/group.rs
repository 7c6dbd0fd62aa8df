//! What runs: jobs and the console.

use std::ffi::c_void;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::ptr::null;
use std::sync::{Mutex, PoisonError};
use std::thread;

use windows_sys::Win32::Foundation::{FALSE, STATUS_CONTROL_C_EXIT, TRUE};
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
};
use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectExtendedLimitInformation, SetInformationJobObject,
    TerminateJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, OpenProcess, PROCESS_SET_QUOTA, PROCESS_TERMINATE,
};

use crate::platform::{Firmness, by_signal};

/// The exit code of what is killed: nobody else's, and the same as of SIGKILL.
const KILLED: u32 = 137;
/// The numbers of Unix, which exit codes are made of.
const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A step's processes: a [job](https://learn.microsoft.com/en-us/windows/win32/procthread/job-objects), which all
/// processes that its leader starts are in, and a process group, which gets events of the console together.
#[derive(Debug)]
pub(crate) struct Group {
    leader: u32,
    /// None where the leader is gone already, or may not be in a job.
    job: Option<OwnedHandle>,
}

impl Group {
    /// Makes `command` the leader of a process group. Ctrl-C does not reach it, as it does not on Unix.
    pub(crate) fn lead(command: &mut Command) {
        command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    }

    /// Puts process `leader` into a job. What it started within the moment before is not in it.
    pub(crate) fn of(leader: u32) -> Group {
        Group { leader, job: job_with(leader).ok() }
    }

    /// The number of the process that leads it.
    pub(crate) fn leader(&self) -> u32 {
        self.leader
    }

    /// Asks by Ctrl-Break, gently or firmly: there is nothing between that and the end of all processes of the job. Who has
    /// no console cannot be asked.
    #[allow(unsafe_code)]
    pub(crate) fn signal(&self, firmness: Firmness) {
        match (firmness, &self.job) {
            // Group 0 would be everything on this console.
            (Firmness::Interrupt | Firmness::Terminate, _) if self.leader != 0 => {
                // SAFETY: the call takes two numbers and touches no memory of this process.
                unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, self.leader) };
            }
            // SAFETY: the handle is open as long as its owner is there.
            (Firmness::Kill, Some(job)) => unsafe {
                TerminateJobObject(job.as_raw_handle(), KILLED);
            },
            _ => {}
        }
    }
}

impl Drop for Group {
    /// What a step leaves that ended by itself goes on, as on Unix.
    fn drop(&mut self) {
        if let Some(job) = &self.job {
            let _ = limit(job, 0);
        }
    }
}

/// A job with process `leader` in it, which is killed with this process.
#[allow(unsafe_code)]
fn job_with(leader: u32) -> io::Result<OwnedHandle> {
    // SAFETY: both pointers may be null, and a handle that is not is ours alone.
    let job = unsafe { owned(CreateJobObjectW(null(), null()))? };
    limit(&job, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE)?;
    // SAFETY: the call takes numbers, and a handle that is not null is ours alone.
    let process = unsafe { owned(OpenProcess(PROCESS_SET_QUOTA | PROCESS_TERMINATE, FALSE, leader))? };
    // SAFETY: both handles are open.
    done(unsafe { AssignProcessToJobObject(job.as_raw_handle(), process.as_raw_handle()) })?;
    Ok(job)
}

/// Sets what `job` is limited to.
#[allow(unsafe_code)]
fn limit(job: &OwnedHandle, flags: u32) -> io::Result<()> {
    // SAFETY: a structure of numbers, all of which may be 0.
    let mut limits = unsafe { zeroed::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() };
    limits.BasicLimitInformation.LimitFlags = flags;
    let (pointer, size) = (&raw const limits, size_of::<JOBOBJECT_EXTENDED_LIMIT_INFORMATION>() as u32);
    // SAFETY: the handle is open, and the pointer is to a structure of the kind and size that is told.
    done(unsafe {
        SetInformationJobObject(job.as_raw_handle(), JobObjectExtendedLimitInformation, pointer.cast(), size)
    })
}

/// # Safety
/// `handle` is null or open, and nobody else's.
#[allow(unsafe_code)]
unsafe fn owned(handle: *mut c_void) -> io::Result<OwnedHandle> {
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as the caller says.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// What a call to Windows says, which is 0 for a failure.
pub(super) fn done(result: i32) -> io::Result<()> {
    if result == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The exit code, if it is one of those that Unix has; that of Ctrl-C for a process that such an event ended.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    match status.code() {
        Some(STATUS_CONTROL_C_EXIT) => by_signal(SIGINT),
        code => code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
    }
}

type Stop = Box<dyn FnMut(i32) + Send>;

/// The handler has no place for it.
static STOP: Mutex<Option<Stop>> = Mutex::new(None);

/// From here on, events of the console that ask this program to stop do not end it: `stop` gets the number of the signal
/// that each stands for, in another thread. Ctrl-C is SIGINT, Ctrl-Break SIGTERM, a window that is closed SIGHUP.
///
/// # Errors
/// When Windows does not let them be handled.
#[allow(unsafe_code)]
pub(crate) fn on_stop(stop: impl FnMut(i32) + Send + 'static) -> io::Result<()> {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(stop));
    // SAFETY: the handler is there as long as this program is.
    done(unsafe { SetConsoleCtrlHandler(Some(handle), TRUE) })
}

/// Windows calls it in a thread of its own.
#[allow(unsafe_code)]
unsafe extern "system" fn handle(event: u32) -> i32 {
    let signal = match event {
        CTRL_C_EVENT => SIGINT,
        CTRL_BREAK_EVENT => SIGTERM,
        CTRL_CLOSE_EVENT => SIGHUP,
        _ => return FALSE,
    };
    if let Some(stop) = STOP.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        stop(signal);
    }
    // With this thread the process would end: what runs has the few seconds that Windows leaves.
    if event == CTRL_CLOSE_EVENT {
        loop {
            thread::park();
        }
    }
    TRUE
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    /// A program that starts another one, which takes a minute. Their output ends when both are gone.
    fn two() -> (Child, Group) {
        let mut command = Command::new("cmd");
        command.args(["/C", "cmd /C ping -n 60 127.0.0.1"]).stdin(Stdio::null()).stdout(Stdio::piped());
        Group::lead(&mut command);
        let child = command.spawn().unwrap();
        let group = Group::of(child.id());
        assert!(group.job.is_some());
        (child, group)
    }

    fn end(mut child: Child) -> u8 {
        let began = Instant::now();
        child.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
        let code = exit_code(child.wait().unwrap());
        assert!(began.elapsed() < Duration::from_secs(20), "it took {:?}", began.elapsed());
        code
    }

    #[test]
    fn all_of_a_group_are_killed() {
        let (child, group) = two();
        thread::sleep(Duration::from_millis(500));
        group.signal(Firmness::Kill);
        assert_eq!(u32::from(end(child)), KILLED);
    }

    #[test]
    fn what_ends_by_itself_leaves_what_it_started() {
        let (mut child, group) = two();
        thread::sleep(Duration::from_millis(500));
        drop(group);
        thread::sleep(Duration::from_millis(500));
        assert_eq!(child.try_wait().unwrap(), None);
        Group::of(child.id()).signal(Firmness::Kill);
        assert_eq!(u32::from(exit_code(child.wait().unwrap())), KILLED);
    }

    #[test]
    fn a_group_that_is_gone_is_no_error() {
        let group = Group::of(0);
        group.signal(Firmness::Interrupt);
        group.signal(Firmness::Kill);
        assert!(group.job.is_none());
    }
}
