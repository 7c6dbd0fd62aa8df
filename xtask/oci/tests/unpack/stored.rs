//! Listings that are kept between runs.

use std::fs;

use xtask_oci::cache::prune;
use xtask_oci::digest::Digest;
use xtask_oci::unpack::listing::Listing;
use xtask_oci::unpack::stored::Listings;
use xtask_oci::unpack::{Packing, PulledLayer};

use crate::Pulled;
use crate::raw::{Head, Tar};

/// A layer with every kind of entry, and numbers of every length.
fn layer(pulled: &Pulled) -> PulledLayer {
    let tar = Tar::new()
        .folder("usr/share")
        .put(&Head { mode: 0o6755, uid: 0o777_7777, ..Head::new(b'0', b"usr/share/a") }, &[0; 100_000])
        .pax(&[("uid", "4294967295"), ("gid", "128")])
        .file("usr/share/ab", "")
        .pax(&[("GNU.sparse.size", "9223372036854775807")])
        .file("sparse", "")
        .link("usr/share/link", "../a")
        .hard_link("hard", "usr/share/a")
        .block(Head::new(b'0', b"caf\xe9").block())
        .block(Head::new(b'3', b"null").block())
        .block(Head::new(b'6', b"pipe").block())
        .file("usr/.wh.lib", "")
        .file(".wh..wh..opq", "")
        .end();
    pulled.blob("layer", Packing::Tar, &tar, &tar)
}

#[test]
fn a_layer_is_read_once() {
    let pulled = Pulled::new();
    let layer = layer(&pulled);
    let listings = Listings::new(&pulled.path("cache"));
    assert_eq!(listings.get(layer.diff_id), None);
    let listing = listings.of(&layer).unwrap();
    assert_eq!(listing.items.len(), 11);
    fs::remove_file(&layer.blob).unwrap();
    assert_eq!(listings.of(&layer).unwrap(), listing);
    assert_eq!(pulled.names("cache/listings-1".as_ref()), [layer.diff_id.hex()]);
    assert_eq!(listings.get(Digest::of(b"another")), None);
}

#[test]
fn nothing_is_kept_of_a_layer_that_is_not_what_was_promised() {
    let pulled = Pulled::new();
    let layer = PulledLayer { diff_id: Digest::of(b"another"), ..layer(&pulled) };
    let listings = Listings::new(&pulled.path("cache"));
    assert!(listings.of(&layer).unwrap_err().to_string().starts_with("the layer "));
    assert!(!pulled.path("cache").exists());
}

#[test]
fn every_damage_is_noticed_and_repaired() {
    let pulled = Pulled::new();
    let layer = layer(&pulled);
    let listings = Listings::new(&pulled.path("cache"));
    let listing = listings.of(&layer).unwrap();
    let path = pulled.path("cache/listings-1").join(layer.diff_id.hex());
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        for damaged in [&flipped[..], &whole[..at]] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(listings.get(layer.diff_id), None, "{at}");
            assert!(!path.exists());
        }
    }
    assert_eq!(listings.of(&layer).unwrap(), listing);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn a_listing_under_another_name_is_not_believed() {
    let pulled = Pulled::new();
    let layer = layer(&pulled);
    let listings = Listings::new(&pulled.path("cache"));
    listings.of(&layer).unwrap();
    let other = Digest::of(b"another");
    let folder = pulled.path("cache/listings-1");
    fs::rename(folder.join(layer.diff_id.hex()), folder.join(other.hex())).unwrap();
    assert_eq!(listings.get(other), None);
}

#[test]
fn bodies_with_a_right_sum_are_not_believed_blindly() {
    let pulled = Pulled::new();
    let listings = Listings::new(&pulled.path("cache"));
    fs::create_dir_all(pulled.path("cache/listings-1")).unwrap();
    let diff_id = Digest::of(b"tar");
    let get = |body: &[u8]| {
        let sum = Digest::of(&[format!("1 {diff_id}\n").as_bytes(), body].concat()).hex();
        let path = pulled.path("cache/listings-1").join(diff_id.hex());
        fs::write(path, [sum.as_bytes(), body].concat()).unwrap();
        listings.get(diff_id)
    };
    assert_eq!(get(b""), Some(Listing::default()));
    assert_eq!(get(b"d\0\x02/a\x01\0\0").unwrap().items.len(), 1);
    for body in [
        &b"d"[..],
        b"x\0\x02/a\x01\0\0",
        b"d\0\x02/a\x01\0",
        b"d\0\x03/a\x01\0\0",
        b"d\x01\x02/a\x01\0\0",
        b"d\0\x05/../a\x01\0\0",
        b"d\0\x01/\x01\0\0",
        b"d\0\x01a\x01\0\0",
        b"d\0\x02/a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0",
        b"d\0\x02/a\xff\xff\xff\xff\x7f\0\0",
        b"l\0\x02/a\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x7fx",
        b"d\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02/a\x01\0\0",
    ] {
        assert_eq!(get(body), None, "{body:?}");
    }
}

#[test]
fn the_cache_drops_listings_that_are_not_used() {
    let pulled = Pulled::new();
    let layer = layer(&pulled);
    let listings = Listings::new(&pulled.path("cache"));
    listings.of(&layer).unwrap();
    let path = pulled.path("cache/listings-1").join(layer.diff_id.hex());
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    let age = || fs::File::options().append(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    age();
    listings.of(&layer).unwrap();
    prune(&pulled.path("cache"), 0).unwrap();
    assert!(path.exists(), "it was just used");
    age();
    prune(&pulled.path("cache"), 0).unwrap();
    assert!(!path.exists());
}
