//! A certificate for the server, and the authority that signed it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use super::user::User;

/// The folder that the server's own files are in, below the server's folder.
pub(super) const FOLDER: &str = "tls";
/// The server's certificate, in [`FOLDER`].
pub(super) const CERTIFICATE: &str = "server.pem";
/// The server's private key, in [`FOLDER`].
pub(super) const KEY: &str = "server.key";

/// Makes an authority, a certificate that it signs, and another authority; writes them below `folder`.
/// Returns the files of both authorities.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn write(folder: &Path, user: User) -> Result<(PathBuf, PathBuf)> {
    let ca = authority("throw-away authority").context("cannot make certificates")?;
    let other = authority("another authority").context("cannot make certificates")?;
    let key = KeyPair::generate().context("cannot make certificates")?;
    let certificate = server(&key, &ca).context("cannot make certificates")?;

    let own = folder.join(FOLDER);
    fs::create_dir(&own).with_context(|| format!("cannot make {}", own.display()))?;
    user.own(&own)?;
    user.write(&own.join(CERTIFICATE), &certificate)?;
    user.write(&own.join(KEY), &key.serialize_pem())?;
    let paths = (folder.join("ca.pem"), folder.join("other-ca.pem"));
    user.write(&paths.0, &ca.pem())?;
    user.write(&paths.1, &other.pem())?;
    Ok(paths)
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn server(key: &KeyPair, ca: &CertifiedIssuer<'_, KeyPair>) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "throw-away server");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.signed_by(key, ca)?.pem())
}
