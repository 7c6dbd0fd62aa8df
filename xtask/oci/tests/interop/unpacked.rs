//! umoci unpacks what our engine pushed, as the specification says.

use std::fs;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::common::tool::{is_root, run, succeeds, trial, umoci_reads};
use super::listing::Listing;
use super::sample::{PLATFORMS, Pushed};

pub fn trials() -> Vec<Trial> {
    let skopeo = succeeds("skopeo", &["--version"]);
    let is_root = is_root();
    let test = |kind: &'static str, compression| {
        let possible = skopeo && is_root && umoci_reads(compression);
        let needs = "skopeo, umoci (0.5 or newer for zstd), and root, who may give files to others";
        trial(format!("umoci unpacks {kind}"), possible, needs, move || unpack(kind))
    };
    vec![test("gzip:6", "gzip:6"), test("none", "none"), test("zstd:3", "zstd:3"), test("mixed", "zstd:3")]
}

fn unpack(kind: &str) -> Result<(), Failed> {
    let pushed = Pushed::of(kind)?;
    let image = format!("docker://{}", pushed.name);
    for platform in PLATFORMS {
        let architecture = platform.architecture();
        let skopeo = ["skopeo", "--override-os=linux", "--override-arch", architecture];
        let layout = format!("unpacked:{architecture}");
        let copy = ["copy", "--quiet", "--preserve-digests", "--src-tls-verify=false", &image];
        run(&pushed.sandbox, &[&skopeo[..], &copy, &[&format!("oci:{layout}")]].concat())?;
        let bundle = format!("bundle-{architecture}");
        run(&pushed.sandbox, &["umoci", "unpack", "--image", &layout, &bundle])?;
        let bundle = pushed.sandbox.path(&bundle);
        pushed.check(&Listing::of_folder(&bundle.join("rootfs"))?, platform)?;

        let config: Value = serde_json::from_slice(&fs::read(bundle.join("config.json"))?)?;
        let process = &config["process"];
        assert_eq!(process["args"], json!(["/app"]));
        assert_eq!(process["cwd"], "/var/lib/app");
        assert_eq!((&process["user"]["uid"], &process["user"]["gid"]), (&json!(65532), &json!(65532)));
        assert!(process["env"].as_array().is_some_and(|env| env.contains(&json!("APP_LOG=info"))));
    }
    Ok(())
}
