//! Plots as PNG, by a browser that draws them.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::page::STYLE;
use super::{Report, Section, plot};

/// Names of the browser; the first that is there draws.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Around the plot on each side, in CSS pixels.
const MARGIN: f64 = 16.0;
/// The plot's width and its margins, in CSS pixels.
const WIDTH: f64 = 760.0 + 2.0 * MARGIN;
/// More than the browser takes for bars and buttons, also where it shows none of these.
const FRAME: f64 = 200.0;
/// Pixels of the picture for one of CSS.
const SCALE: f64 = 2.0;

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
    let style = format!("{STYLE}body {{ margin: {MARGIN}px; padding: 0 }}");
    let plot = plot::plot(section);
    let html = format!("<!doctype html><meta charset=\"utf-8\"><style>{style}</style>{plot}");
    fs::write(&page, html).context("cannot write a plot")?;
    let height = plot::height(section) + 2.0 * MARGIN;
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"])
        .args(["--disable-background-networking", &format!("--force-device-scale-factor={SCALE}")])
        .arg("--blink-settings=preferredColorScheme=1")
        .arg(format!("--user-data-dir={}", work.join("browser").display()))
        .arg(format!("--window-size={WIDTH},{}", height + FRAME))
        .arg(format!("--screenshot={}", file.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .context("cannot start the browser")?;
    if !file.is_file() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{browser} did not draw {}: {}", file.display(), said.trim());
    }
    cut(file, (height * SCALE) as u32).with_context(|| format!("cannot cut {} to its size", file.display()))
}

/// Leaves no more than the first `height` lines of a picture.
fn cut(file: &Path, height: u32) -> Result<()> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(file)?)).read_info()?;
    let mut picture = png::Info::clone(reader.info());
    picture.height = height.min(picture.height);
    let mut lines = Vec::new();
    for _ in 0..picture.height {
        lines.extend_from_slice(reader.next_row()?.context("it has fewer lines than it says")?.data());
    }
    let mut encoder = png::Encoder::with_info(BufWriter::new(File::create(file)?), picture)?;
    encoder.set_compression(png::Compression::High);
    Ok(encoder.write_header()?.write_image_data(&lines)?)
}

/// The browser that there is.
pub(crate) fn browser() -> Option<&'static str> {
    BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_cut_from_below() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 2, 3);
        encoder.set_color(png::ColorType::Rgb);
        let lines = (0..18).collect::<Vec<u8>>();
        encoder.write_header().unwrap().write_image_data(&lines).unwrap();
        let read = || {
            let mut reader =
                png::Decoder::new(BufReader::new(File::open(&path).unwrap())).read_info().unwrap();
            let mut lines = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut lines).unwrap();
            (reader.info().size(), lines)
        };
        cut(&path, 9).unwrap();
        assert_eq!(read(), ((2, 3), lines.clone()));
        cut(&path, 2).unwrap();
        assert_eq!(read(), ((2, 2), lines[..12].to_vec()));
    }
}
