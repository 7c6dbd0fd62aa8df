//! Plots as PNG, by a browser that draws them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::page::STYLE;
use super::{Report, Section, plot};

/// Names of the browser; the first that is there draws.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The plot's width and its margin.
const WIDTH: f64 = 760.0 + 32.0;

/// Writes each plot into `folder`, and returns their names. `work` is for what the browser needs meanwhile.
///
/// # Errors
/// When there is no browser, or it cannot draw.
pub(crate) fn write(report: &Report, folder: &Path, work: &Path) -> Result<Vec<PathBuf>> {
    let browser = browser().context("--png needs Chromium: apt install chromium")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = fs::canonicalize(folder).context("cannot find the folder of plots")?;
    let mut files = Vec::new();
    for (index, section) in report.sections.iter().enumerate() {
        let before = report.sections[..index].iter().filter(|one| one.scenario == section.scenario).count();
        let name = match before {
            0 => section.scenario.clone(),
            _ => format!("{}-{}", section.scenario, before + 1),
        };
        let file = folder.join(format!("{name}.png"));
        draw(browser, section, work, &file)?;
        files.push(file);
    }
    Ok(files)
}

/// Has the browser draw one plot.
fn draw(browser: &str, section: &Section, work: &Path, file: &Path) -> Result<()> {
    let page = work.join("plot.html");
    let style = format!("{STYLE}body {{ margin: 16px; padding: 0 }}");
    let plot = plot::plot(section);
    let html = format!("<!doctype html><meta charset=\"utf-8\"><style>{style}</style>{plot}");
    fs::write(&page, html).context("cannot write a plot")?;
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
        .args(["--disable-background-networking", "--force-device-scale-factor=2"])
        .arg("--blink-settings=preferredColorScheme=1")
        .arg(format!("--user-data-dir={}", work.join("browser").display()))
        .arg(format!("--window-size={WIDTH},{}", plot::height(section) + 32.0))
        .arg(format!("--screenshot={}", file.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .context("cannot start the browser")?;
    if !file.is_file() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{browser} did not draw {}: {}", file.display(), said.trim());
    }
    Ok(())
}

/// The browser that there is.
pub(crate) fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}
