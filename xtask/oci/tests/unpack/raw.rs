//! Tar archives made byte by byte, so that they may say anything.

/// An archive that is being made.
#[derive(Clone, Default)]
pub(crate) struct Tar(pub(crate) Vec<u8>);

/// The fields of a header.
#[derive(Clone)]
pub(crate) struct Head<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) target: &'a [u8],
    pub(crate) kind: u8,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) size: u64,
}

impl<'a> Head<'a> {
    pub(crate) fn new(kind: u8, name: &'a [u8]) -> Head<'a> {
        let mode = if kind == b'5' { 0o755 } else { 0o644 };
        Head { name, target: b"", kind, mode, uid: 0, size: 0 }
    }

    pub(crate) fn block(&self) -> [u8; 512] {
        let mut block = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, self.name);
        put(100, format!("{:07o}", self.mode).as_bytes());
        put(108, format!("{:07o}", self.uid).as_bytes());
        put(116, format!("{:07o}", self.uid).as_bytes());
        put(124, format!("{:011o}", self.size).as_bytes());
        put(136, b"00000000000");
        put(156, &[self.kind]);
        put(157, self.target);
        put(257, b"ustar\x0000");
        sum(block)
    }
}

/// Gives a header its checksum.
pub(crate) fn sum(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

impl Tar {
    pub(crate) fn new() -> Tar {
        Tar::default()
    }

    /// An entry whose header says the right size.
    pub(crate) fn put(self, head: &Head<'_>, content: &[u8]) -> Tar {
        self.block(Head { size: content.len() as u64, ..head.clone() }.block()).content(content)
    }

    pub(crate) fn block(mut self, block: [u8; 512]) -> Tar {
        self.0.extend(block);
        self
    }

    pub(crate) fn content(mut self, content: &[u8]) -> Tar {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Tar {
        self.put(&Head::new(b'0', name.as_bytes()), content.as_bytes())
    }

    pub(crate) fn folder(self, name: &str) -> Tar {
        self.block(Head::new(b'5', name.as_bytes()).block())
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Tar {
        let mode = 0o777;
        self.block(Head { target: target.as_bytes(), mode, ..Head::new(b'2', name.as_bytes()) }.block())
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Tar {
        self.block(Head { target: target.as_bytes(), ..Head::new(b'1', name.as_bytes()) }.block())
    }

    pub(crate) fn pax(self, records: &[(&str, &str)]) -> Tar {
        self.put(&Head::new(b'x', b"PaxHeader"), &pax(records))
    }

    pub(crate) fn gnu_long(self, kind: u8, name: &str) -> Tar {
        self.put(&Head::new(kind, b"././@LongLink"), format!("{name}\0").as_bytes())
    }

    /// The whole archive with its end mark.
    pub(crate) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

/// Pax records, each with its own length in front.
pub(crate) fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len();
        while length != rest.len() + length.to_string().len() {
            length = rest.len() + length.to_string().len();
        }
        bytes.extend(format!("{length}{rest}").bytes());
    }
    bytes
}
