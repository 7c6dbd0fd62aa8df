//! Programs: what is put into an image, and what an image's binary says of itself.

use std::io::Cursor;

use xtask_oci::elf;
use xtask_oci::elf::sections::Sections;
use xtask_oci::proof::audit;

/// Reads an ELF file, and the same bytes as a list of packages.
pub fn check(data: &[u8]) {
    let mut file = Cursor::new(data);
    if let Ok(Some(elf)) = elf::read(&mut file) {
        assert!(!elf.machine.to_string().is_empty());
        assert!(elf.loader.is_none_or(|loader| !loader.is_empty() && loader.len() <= data.len()));
    }
    if let Ok(sections) = Sections::read(&mut file) {
        for name in [".text", ".dep-v0", ".debug_info", ".note.gnu.build-id", ""] {
            let Some(section) = sections.get(name) else { continue };
            if let Ok(content) = section.content(&mut file) {
                assert_eq!(content.len() as u64, section.size);
                packages(&content);
            }
        }
        let id = sections.build_id(&mut file).expect("memory can be read");
        assert!(id.is_none_or(|id| !id.is_empty() && id.len() <= data.len()));
        let _ = sections.have_debug_info();
    }
    packages(data);
}

/// A list that is read can be written and is read as the same again.
fn packages(list: &[u8]) {
    if let Ok(packages) = audit::decode(list) {
        let again = audit::encode(&packages).and_then(|list| audit::decode(&list));
        assert_eq!(again.expect("it can be written"), packages);
    }
}
