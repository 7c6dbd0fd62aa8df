//! Reads from an executable's header which machine it is for and which loader it needs.
//!
//! Layout: [Tool Interface Standard ELF](https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html), `Elf64_Ehdr`
//! and `Elf64_Phdr`. Every platform that images are built for is 64-bit and little-endian.

pub mod sections;

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use image_spec::Platform;

const MAGIC: &[u8] = b"\x7fELF";
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
const PT_INTERP: u32 = 3;
/// The longest path that Linux accepts, in bytes.
const PATH_MAX: u64 = 4096;

/// What an ELF header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// The machine it runs on.
    pub machine: Machine,
    /// Whether it can be started: a program or a position-independent program, not an object file or a library.
    pub executable: bool,
    /// The loader (PT_INTERP) that a dynamically linked program needs.
    pub loader: Option<String>,
}

/// A processor architecture, as ELF encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    class: u8,
    order: u8,
    code: u16,
}

impl Machine {
    /// Whether programs for this machine run on `platform`.
    pub fn fits(self, platform: Platform) -> bool {
        let code = match platform {
            Platform::LinuxAmd64 => 62,
            Platform::LinuxArm64 => 183,
        };
        self == Machine { class: CLASS_64, order: LITTLE_ENDIAN, code }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.class, self.order, self.code) {
            (CLASS_64, LITTLE_ENDIAN, 62) => f.write_str("amd64"),
            (CLASS_64, LITTLE_ENDIAN, 183) => f.write_str("arm64"),
            (CLASS_64, LITTLE_ENDIAN, 243) => f.write_str("riscv64"),
            (CLASS_64, LITTLE_ENDIAN, 21) => f.write_str("ppc64le"),
            (CLASS_64, _, 22) => f.write_str("s390x"),
            (_, _, 3) => f.write_str("32-bit x86"),
            (_, _, 40) => f.write_str("32-bit arm"),
            (_, _, code) => write!(f, "ELF machine {code}"),
        }
    }
}

/// Reads the ELF header of an executable; `None` if the content is no ELF file at all.
///
/// # Errors
/// The content cannot be read, or begins as an ELF file but is cut short or malformed.
pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Option<Elf>> {
    file.rewind()?;
    let mut header = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    if !header.starts_with(MAGIC) {
        return Ok(None);
    }
    let Ok(header) = <[u8; HEADER]>::try_from(header) else {
        return Err(malformed("its header is cut short"));
    };
    // In a file of the other byte order the code is swapped too; it is only used to name what was found.
    let code = [header[18], header[19]];
    let code = if header[5] == LITTLE_ENDIAN { u16::from_le_bytes(code) } else { u16::from_be_bytes(code) };
    let machine = Machine { class: header[4], order: header[5], code };
    if (machine.class, machine.order) != (CLASS_64, LITTLE_ENDIAN) {
        return Ok(Some(Elf { machine, executable: false, loader: None }));
    }
    let entry = u64_at(&header, 24);
    let is_program = matches!(u16_at(&header, 16), 2 | 3);
    Ok(Some(Elf { machine, executable: is_program && entry != 0, loader: loader(file, &header)? }))
}

/// The content of the program header PT_INTERP.
fn loader(file: &mut (impl Read + Seek), header: &[u8; HEADER]) -> io::Result<Option<String>> {
    let (offset, size, count) = (u64_at(header, 32), u16_at(header, 54), u16_at(header, 56));
    if count == 0 {
        return Ok(None);
    }
    if usize::from(size) != PROGRAM_HEADER {
        return Err(malformed("its program headers have an unknown size"));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut table = Vec::new();
    let length = PROGRAM_HEADER * usize::from(count);
    file.by_ref().take(length as u64).read_to_end(&mut table)?;
    if table.len() != length {
        return Err(malformed("its program headers are cut short"));
    }
    let Some(interp) = table.chunks_exact(PROGRAM_HEADER).find(|entry| u32_at(entry, 0) == PT_INTERP) else {
        return Ok(None);
    };
    let (offset, length) = (u64_at(interp, 8), u64_at(interp, 32));
    file.seek(SeekFrom::Start(offset))?;
    let mut path = Vec::new();
    file.by_ref().take(length.min(PATH_MAX)).read_to_end(&mut path)?;
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    match String::from_utf8(path.to_vec()) {
        Ok(path) if !path.is_empty() => Ok(Some(path)),
        _ => Err(malformed("the name of its loader is unreadable")),
    }
}

fn malformed(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a damaged ELF file: {why}"))
}

// The callers below read at fixed places of slices whose length they have checked.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// A header for `code`, with one program header if there is a `loader`.
    fn elf(code: u16, kind: u16, loader: Option<&str>) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..7].copy_from_slice(&[CLASS_64, LITTLE_ENDIAN, 1]);
        bytes[16..18].copy_from_slice(&kind.to_le_bytes());
        bytes[18..20].copy_from_slice(&code.to_le_bytes());
        bytes[24..32].copy_from_slice(&0x40_1000u64.to_le_bytes());
        bytes[32..40].copy_from_slice(&(HEADER as u64).to_le_bytes());
        bytes[54..56].copy_from_slice(&(PROGRAM_HEADER as u16).to_le_bytes());
        if let Some(loader) = loader {
            bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
            let mut entry = vec![0; PROGRAM_HEADER];
            entry[..4].copy_from_slice(&PT_INTERP.to_le_bytes());
            entry[8..16].copy_from_slice(&((HEADER + PROGRAM_HEADER) as u64).to_le_bytes());
            entry[32..40].copy_from_slice(&(loader.len() as u64 + 1).to_le_bytes());
            bytes.extend(entry);
            bytes.extend(loader.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> io::Result<Option<Elf>> {
        read(&mut Cursor::new(bytes))
    }

    #[test]
    fn a_static_program_has_no_loader() {
        let elf = read_bytes(&elf(62, 2, None)).unwrap().unwrap();
        assert!(elf.machine.fits(Platform::LinuxAmd64) && !elf.machine.fits(Platform::LinuxArm64));
        assert!(elf.executable);
        assert_eq!(elf.loader, None);
    }

    #[test]
    fn a_dynamic_program_names_its_loader() {
        let elf = read_bytes(&elf(183, 3, Some("/lib/ld-linux-aarch64.so.1"))).unwrap().unwrap();
        assert!(elf.machine.fits(Platform::LinuxArm64));
        assert_eq!(elf.loader.as_deref(), Some("/lib/ld-linux-aarch64.so.1"));
    }

    #[test]
    fn objects_and_libraries_cannot_be_started() {
        assert!(!read_bytes(&elf(62, 1, None)).unwrap().unwrap().executable);
        let mut library = elf(62, 3, None);
        library[24..32].fill(0);
        assert!(!read_bytes(&library).unwrap().unwrap().executable);
    }

    #[test]
    fn other_machines_are_named() {
        let mut i386 = elf(3, 2, None);
        i386[4] = 1;
        let mut s390x = elf(22u16.swap_bytes(), 2, None);
        s390x[5] = 2;
        for (bytes, name) in [
            (elf(243, 2, None), "riscv64"),
            (elf(9, 2, None), "ELF machine 9"),
            (i386, "32-bit x86"),
            (s390x, "s390x"),
        ] {
            let machine = read_bytes(&bytes).unwrap().unwrap().machine;
            assert_eq!(machine.to_string(), name);
            assert!(Platform::ALL.into_iter().all(|platform| !machine.fits(platform)));
        }
    }

    #[test]
    fn other_files_are_not_elf() {
        for bytes in [&b""[..], b"\x7fEL", b"#!/bin/sh\n", &[0; 200]] {
            assert_eq!(read_bytes(bytes).unwrap(), None);
        }
    }

    #[test]
    fn every_cut_of_a_file_is_an_error_or_readable_but_never_a_panic() {
        let whole = elf(62, 3, Some("/lib64/ld-linux-x86-64.so.2"));
        for length in 4..HEADER + PROGRAM_HEADER {
            assert!(read_bytes(&whole[..length]).is_err(), "{length}");
        }
        let mut hostile = whole;
        for at in 0..hostile.len() {
            let byte = std::mem::replace(&mut hostile[at], 0xff);
            let _ = read_bytes(&hostile);
            hostile[at] = byte;
        }
    }
}
