//! Reads the sections of an executable: what linkers and tools put beside what is loaded, such as debug information.
//!
//! Layout: [Tool Interface Standard ELF](https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.sheader.html),
//! `Elf64_Shdr`.

use std::io::{self, Read, Seek, SeekFrom};

use super::{CLASS_64, HEADER, LITTLE_ENDIAN, MAGIC, malformed, u16_at, u32_at, u64_at};

const SECTION_HEADER: usize = 64;
const SHT_NOBITS: u32 = 8;
/// The most that the names of all sections may take, in bytes. Those of real programs take less than a thousandth.
const MAX_NAMES: u64 = 1 << 20;
/// The most that a note may take, in bytes.
const MAX_NOTE: u64 = 1 << 12;
const NT_GNU_BUILD_ID: u32 = 3;

/// The sections of an executable, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections(Vec<Section>);

/// One section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, such as `.text`.
    pub name: String,
    /// Where its content begins in the file.
    pub offset: u64,
    /// The size of its content in the file, in bytes.
    pub size: u64,
}

impl Sections {
    /// Reads the section headers of a 64-bit little-endian ELF file.
    ///
    /// # Errors
    /// The content cannot be read, is another kind of file, is cut short or malformed.
    pub fn read(file: &mut (impl Read + Seek)) -> io::Result<Sections> {
        let header = read_at(file, 0, HEADER as u64)?;
        if !header.starts_with(MAGIC) || header.len() < HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not an ELF file"));
        }
        if (header[4], header[5]) != (CLASS_64, LITTLE_ENDIAN) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a 64-bit little-endian ELF file"));
        }
        let (offset, size) = (u64_at(&header, 40), u16_at(&header, 58));
        let (count, names) = (u16_at(&header, 60), u16_at(&header, 62));
        if offset == 0 || count == 0 {
            return Ok(Sections::default());
        }
        if usize::from(size) != SECTION_HEADER {
            return Err(malformed("its section headers have an unknown size"));
        }
        let length = SECTION_HEADER * usize::from(count);
        let table = read_at(file, offset, length as u64)?;
        if table.len() != length {
            return Err(malformed("its section headers are cut short"));
        }
        let headers: Vec<_> = table.chunks_exact(SECTION_HEADER).collect();
        let Some(names) = headers.get(usize::from(names)) else {
            return Err(malformed("its sections have no names"));
        };
        let names = read_at(file, u64_at(names, 24), u64_at(names, 32).min(MAX_NAMES))?;
        Ok(Sections(headers.into_iter().map(|header| section(header, &names)).collect()))
    }

    /// The section of that name.
    pub fn get(&self, name: &str) -> Option<&Section> {
        self.0.iter().find(|section| section.name == name)
    }

    /// Whether a debugger finds functions and lines in the file.
    pub fn have_debug_info(&self) -> bool {
        [".debug_info", ".zdebug_info"].iter().filter_map(|name| self.get(name)).any(|found| found.size > 0)
    }

    /// The [build id](https://sourceware.org/binutils/docs/ld/Options.html) that the linker gave the file, by which
    /// debuggers and crash reports know it.
    ///
    /// # Errors
    /// The content cannot be read.
    pub fn build_id(&self, file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
        let Some(section) = self.get(".note.gnu.build-id") else {
            return Ok(None);
        };
        let note = read_at(file, section.offset, section.size.min(MAX_NOTE))?;
        Ok(build_id(&note).map(<[u8]>::to_vec))
    }
}

impl Section {
    /// What is in it.
    ///
    /// # Errors
    /// The content cannot be read, or the file ends before it does.
    pub fn content(&self, file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
        let content = read_at(file, self.offset, self.size)?;
        if content.len() as u64 != self.size {
            return Err(malformed(&format!("its section {} is cut short", self.name)));
        }
        Ok(content)
    }
}

fn section(header: &[u8], names: &[u8]) -> Section {
    let name = names.get(u32_at(header, 0) as usize..).unwrap_or_default();
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    // Of a section without content the size is what it has in memory.
    let has_content = u32_at(header, 4) != SHT_NOBITS;
    Section {
        name: String::from_utf8_lossy(name).into_owned(),
        offset: u64_at(header, 24),
        size: if has_content { u64_at(header, 32) } else { 0 },
    }
}

/// The descriptor of an `Elf64_Nhdr` with the name `GNU` and the type of a build id.
fn build_id(note: &[u8]) -> Option<&[u8]> {
    let (header, rest) = note.split_at_checked(12)?;
    if (u32_at(header, 0), u32_at(header, 8)) != (4, NT_GNU_BUILD_ID) {
        return None;
    }
    let id = rest.strip_prefix(b"GNU\0")?.get(..u32_at(header, 4) as usize)?;
    (!id.is_empty()).then_some(id)
}

/// At most `length` bytes from `offset`: fewer, if the file ends.
fn read_at(file: &mut (impl Read + Seek), offset: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset)).map_err(|_| malformed("it refers to what no file can hold"))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Cursor;

    use super::*;

    /// An ELF file that has these sections and nothing else.
    pub(crate) fn elf(sections: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let mut names = b"\0.shstrtab\0".to_vec();
        let mut bytes = vec![0; HEADER];
        let mut headers = vec![vec![0; SECTION_HEADER]];
        let mut add = |bytes: &mut Vec<u8>, name: u32, kind: u32, content: &[u8]| {
            let mut header = vec![0; SECTION_HEADER];
            header[0..4].copy_from_slice(&name.to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(content.len() as u64).to_le_bytes());
            headers.push(header);
            bytes.extend(content);
        };
        for (name, kind, content) in sections {
            add(&mut bytes, names.len() as u32, *kind, content);
            names.extend(name.as_bytes());
            names.push(0);
        }
        add(&mut bytes, 1, 3, &names);
        let (offset, count) = (bytes.len() as u64, headers.len() as u16);
        bytes.extend(headers.concat());
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..6].copy_from_slice(&[CLASS_64, LITTLE_ENDIAN]);
        bytes[40..48].copy_from_slice(&offset.to_le_bytes());
        bytes[58..60].copy_from_slice(&(SECTION_HEADER as u16).to_le_bytes());
        bytes[60..62].copy_from_slice(&count.to_le_bytes());
        bytes[62..64].copy_from_slice(&(count - 1).to_le_bytes());
        bytes
    }

    const NOTE: &[u8] = b"\x04\0\0\0\x03\0\0\0\x03\0\0\0GNU\0abc\0";

    #[test]
    fn sections_are_found_by_name_with_their_content() {
        let mut file =
            Cursor::new(elf(&[(".text", 1, b"code"), (".dep-v0", 1, b"list"), (".bss", 8, b"xx")]));
        let sections = Sections::read(&mut file).unwrap();
        let content = |file: &mut _, name| sections.get(name).map(|it| it.content(file).unwrap());
        assert_eq!(content(&mut file, ".dep-v0").as_deref(), Some(&b"list"[..]));
        assert_eq!(content(&mut file, ".bss").as_deref(), Some(&b""[..]));
        assert_eq!(content(&mut file, ".none"), None);
        assert!(!sections.have_debug_info());
        assert_eq!(sections.build_id(&mut file).unwrap(), None);
    }

    #[test]
    fn debug_information_and_build_id_are_seen() {
        // Rust marks programs for gdb with this section, whether or not there is debug information.
        let mut file = Cursor::new(elf(&[(".debug_gdb_scripts", 1, b"x"), (".note.gnu.build-id", 7, NOTE)]));
        let sections = Sections::read(&mut file).unwrap();
        assert!(!sections.have_debug_info());
        assert_eq!(sections.build_id(&mut file).unwrap().as_deref(), Some(&b"abc"[..]));
        let with = elf(&[(".debug_info", 1, b"x")]);
        assert!(Sections::read(&mut Cursor::new(with)).unwrap().have_debug_info());
    }

    #[test]
    fn notes_that_are_no_build_id_are_none() {
        assert_eq!(build_id(NOTE), Some(&b"abc"[..]));
        for length in 0..NOTE.len() - 1 {
            assert_eq!(build_id(&NOTE[..length]), None, "{length}");
        }
        assert_eq!(build_id(b"\x04\0\0\0\x03\0\0\0\x01\0\0\0GNU\0abc\0"), None);
        assert_eq!(build_id(b"\x04\0\0\0\0\0\0\0\x03\0\0\0GNU\0"), None);
    }

    #[test]
    fn other_files_are_refused_and_no_file_makes_it_panic() {
        let whole = elf(&[(".dep-v0", 1, b"list"), (".note.gnu.build-id", 7, NOTE)]);
        for bytes in [&b""[..], b"text", &whole[..HEADER - 1]] {
            let error = Sections::read(&mut Cursor::new(bytes)).unwrap_err();
            assert_eq!(error.to_string(), "not an ELF file");
        }
        for length in HEADER..whole.len() {
            assert!(Sections::read(&mut Cursor::new(&whole[..length])).is_err(), "{length}");
        }
        let mut hostile = whole;
        for at in 0..hostile.len() {
            for wrong in [0, 0x7f, 0xff] {
                let byte = std::mem::replace(&mut hostile[at], wrong);
                let mut file = Cursor::new(&hostile);
                if let Ok(sections) = Sections::read(&mut file) {
                    let _ = sections.build_id(&mut file);
                    sections.0.iter().for_each(|section| drop(section.content(&mut file)));
                }
                hostile[at] = byte;
            }
        }
    }
}
