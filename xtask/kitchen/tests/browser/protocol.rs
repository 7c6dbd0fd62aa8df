//! A page in a browser that is driven by the DevTools protocol: over two pipes, each message ending in NUL. It can do what
//! a page cannot with a frame: press keys as a person does, be as narrow as a phone, prefer dark, be photographed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::{Value, json};

use crate::support::{FLAGS, Kitchen, PATIENCE};

/// A page, with the browser that has no other.
pub(crate) struct Page {
    browser: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    last: u64,
}

impl Page {
    /// A page that Kitchen knows, in which `script` runs before any other.
    pub(crate) fn open(browser: &str, kitchen: &Kitchen, script: &str) -> Result<Page, Failed> {
        // The protocol is spoken over the descriptors 3 and 4, which only a shell gives without unsafe code.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null"#, "sh", browser])
            .args(FLAGS)
            .args(["--remote-debugging-pipe", "--lang=en-US"])
            .arg(format!("--user-data-dir={}", kitchen.profile().display()))
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let commands = child.stdin.take().ok_or("no pipe")?;
        let mut answers = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let value: Value = serde_json::from_slice(&message[..message.len() - 1]).unwrap();
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let mut page = Page { browser: child, commands, answers: receiver, session: None, last: 0 };
        let target = page.call("Target.createTarget", json!({ "url": "about:blank" }))?;
        let session = json!({ "targetId": target["targetId"], "flatten": true });
        page.session =
            page.call("Target.attachToTarget", session)?["sessionId"].as_str().map(ToOwned::to_owned);
        page.call("Page.enable", json!({}))?;
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))?;
        page.call("Emulation.setScrollbarsHidden", json!({ "hidden": true }))?;
        page.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }))?;
        page.call("Page.navigate", json!({ "url": kitchen.way_in()? }))?;
        page.until("location.pathname === '/' && document.readyState === 'complete'")?;
        Ok(page)
    }

    /// Has the browser do something, and gives what it answers.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Result<Value, Failed> {
        self.last += 1;
        let mut command = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all(format!("{command}\0").as_bytes())?;
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).map_err(|_| format!("{method}: no answer"))?;
            if answer["id"] != json!(self.last) {
                continue;
            }
            return match answer.get("error") {
                Some(error) => Err(format!("{method}: {error}").into()),
                None => Ok(answer["result"].clone()),
            };
        }
    }

    /// What an expression comes to in the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Result<Value, Failed> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params)?;
        match answer.get("exceptionDetails") {
            Some(problem) => Err(format!("{expression}: {problem:#}").into()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression holds.
    pub(crate) fn until(&mut self, expression: &str) -> Result<(), Failed> {
        let began = Instant::now();
        // A page that is left for another answers nothing.
        while !self.evaluate(expression).is_ok_and(|value| value == true) {
            if began.elapsed() > PATIENCE {
                return Err(format!("never: {expression}").into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Presses a key, by its name or by what it writes.
    pub(crate) fn press(&mut self, key: &str) -> Result<(), Failed> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            _ => (0, key),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let press = json!({ "type": down, "key": key, "text": text, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", press)?;
        let release = json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", release).map(drop)
    }

    /// Has the page this size, in pixels, however narrow a window can be.
    pub(crate) fn resize(&mut self, width: u32, height: u32) -> Result<(), Failed> {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size).map(drop)
    }

    /// Has its reader prefer a theme: `light` or `dark`.
    pub(crate) fn prefer(&mut self, theme: &str) -> Result<(), Failed> {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).map(drop)
    }

    /// Goes to an address, and waits until something holds there.
    pub(crate) fn go(&mut self, url: &str, holds: &str) -> Result<(), Failed> {
        self.call("Page.navigate", json!({ "url": url }))?;
        self.until(&format!("document.readyState === 'complete' && Boolean({holds})"))
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.browser.kill().unwrap();
        self.browser.wait().unwrap();
    }
}
