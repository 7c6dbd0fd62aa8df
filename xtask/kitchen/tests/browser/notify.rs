//! Notifications.

use libtest_mimic::Failed;
use serde_json::json;

use crate::protocol::Page;
use crate::support::{Kitchen, Script};

/// Writes down what is told; nobody looks at the page.
const FAKE: &str = r#"
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() {
    Notification.permission = "granted";
    return "granted";
  }
  constructor(title, { body, tag }) {
    super();
    told.push([title, body, tag.replace(/:\d+/, "")]);
  }
};
document.hasFocus = () => false;
"#;

/// An old one, a long one, a short one, and one that waits.
const BEFORE: &str = "
INSERT INTO builds (id, origin, status, request, command, queued, started, finished) VALUES
    (1, 'terminal', 'done', '{}', 'cargo xtask old', 1, 1, 90000),
    (2, 'kitchen', 'running', '{}', 'cargo xtask long', 1, 100000, NULL),
    (3, 'kitchen', 'running', '{}', 'cargo xtask short', 1, 100000, NULL),
    (4, 'kitchen', 'running', '{}', 'cargo xtask waits', 1, NULL, NULL);";

/// Another has begun and ended between two looks.
const AFTER: &str = "
UPDATE builds SET status = 'failed', finished = 130000 WHERE id = 2;
UPDATE builds SET status = 'done', finished = 129999 WHERE id = 3;
UPDATE builds SET status = 'killed', finished = 130000 WHERE id = 4;
INSERT INTO builds (id, origin, status, request, command, queued, started, finished)
    VALUES (5, 'terminal', 'done', '{}', 'cargo xtask between', 1, 1, 30001);";

const LOOKS: &str =
    "performance.getEntriesByType('resource').filter((one) => one.name.endsWith('/api/builds')).length";

pub(crate) fn a_long_build_tells_of_its_end(browser: &str) -> Result<(), Failed> {
    let kitchen = Kitchen::open("", Script { text: "", data: "" })?;
    let mut page = Page::open(browser, &kitchen, FAKE)?;
    // A Kitchen that opens would see that they do not run.
    kitchen.sql(BEFORE)?;
    let pressed = "document.getElementById('notify').ariaPressed";
    assert_eq!(page.evaluate(pressed)?, "false");
    page.evaluate("document.getElementById('notify').click()")?;
    page.until(&format!("{pressed} === 'true'"))?;
    page.until(&format!("{LOOKS} === 1"))?;
    kitchen.sql(AFTER)?;
    page.until(&format!("{LOOKS} === 3"))?;
    let told = json!([
        ["Build 5: done", "cargo xtask between", "kitchen-127.0.0.1-5"],
        ["Build 2: failed", "cargo xtask long", "kitchen-127.0.0.1-2"]
    ]);
    assert_eq!(page.evaluate("told")?, told);
    page.evaluate("document.getElementById('notify').click()")?;
    page.until(&format!("{pressed} === 'false'"))
}
