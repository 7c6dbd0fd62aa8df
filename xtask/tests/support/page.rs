//! What a browser shows of a page that is one file.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The browser of this machine.
pub(crate) fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

/// What `looking`, a page that has this one in a frame of each width, sees in light (`1`) or dark (`0`). No page may send a
/// request, be wider than its window, or have anything to say on the console.
pub(crate) fn look(page: &Path, looking: &str, scheme: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(page, path("page.html")).unwrap();
    fs::write(path("look.html"), looking).unwrap();
    let output = Command::new(browser().unwrap())
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"])
        // The page that looks is another file than the one that it looks at.
        .args(["--allow-file-access-from-files", "--window-size=1600,2600", "--virtual-time-budget=20000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", path("profile").display()))
        .arg("--dump-dom")
        .arg(format!("file://{}", path("look.html").display()))
        .output()
        .unwrap();
    let [dom, log] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let said = log.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>();
    // Its own line shows that others would be seen.
    assert!(said.len() == 1 && said[0].contains("\"looked\""), "{said:#?}\n{log}\n{dom}");
    let (_, seen) = dom.split_once(r#"<script type="application/json">"#).unwrap();
    let seen: Vec<Value> = serde_json::from_str(seen.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(seen.len(), looking.matches("<iframe").count());
    for one in &seen {
        assert_eq!(one["requests"], Value::Array(Vec::new()), "{one:#}");
        assert!(one["overflow"].as_i64().unwrap() <= 0, "{one:#}");
    }
    seen
}
