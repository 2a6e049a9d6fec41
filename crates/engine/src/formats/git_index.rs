//! Lists the symbolic links that a git index holds, to tell which text files in a working tree
//! stand where a link should be.
//!
//! Format facts: git's `Documentation/gitformat-index.txt` (versions 2, 3 and 4, extensions) and
//! `decode_varint` of git's `varint.c`.
//!
//! A parser of its own, as the crate `gix-index` 0.58 without default features brings 57 crates
//! (tempfile, locks, objects, traversal), and all that is wanted here is two fields of an entry.
//! The checksum at the end is not verified: git itself can be told to leave it out
//! (`index.skipHash`), and a list of names does no harm beyond a wrong name.

use super::FormatError;

/// How messages name the format.
const FORMAT: &str = "git index";

/// The mode of a symbolic link.
const LINK_MODE: u32 = 0o120_000;

/// Two times eight bytes, device and inode: what stands before the mode in an entry.
const BEFORE_MODE: usize = 24;

/// User, group and size: what stands between the mode and the object's name.
const AFTER_MODE: usize = 12;

/// The stage of an entry in its flags; zero outside of a merge with conflicts.
const STAGE: u16 = 0x3000;

/// The flag that a second word of flags follows (version 3 and 4).
const EXTENDED: u16 = 0x4000;

/// The longest path Linux opens. It bounds the memory too: in version 4 an entry of 64 bytes may
/// repeat the whole of the path before it.
const LONGEST_PATH: usize = 4095;

/// The repository-relative paths, as bytes, of the entries that are symbolic links and not part of
/// a merge conflict, in the order of the index.
///
/// `hash_len` is the length of an object's name in the repository: 20 (SHA-1) or 32 (SHA-256).
/// Entries marked skip-worktree or intent-to-add are among them.
///
/// # Errors
///
/// [`FormatError::Malformed`] when the bytes are no index, also when a link's path leads out of the
/// repository; [`FormatError::Unsupported`] for other versions, a split or sparse index, and
/// extensions that a reader must understand.
pub fn link_entries(index: &[u8], hash_len: usize) -> Result<Vec<Vec<u8>>, FormatError> {
    if hash_len != 20 && hash_len != 32 {
        return Err(FormatError::Unsupported(
            "the repository's object names are neither SHA-1 nor SHA-256",
        ));
    }
    let body_length = index.len().checked_sub(hash_len).ok_or(malformed("it is cut short"))?;
    let body = index.get(..body_length).ok_or(malformed("it is cut short"))?;
    let mut reader = Reader { rest: body };
    if reader.array::<4>()? != *b"DIRC" {
        return Err(malformed("it does not begin with DIRC"));
    }
    let version = u32::from_be_bytes(reader.array()?);
    if !(2..=4).contains(&version) {
        return Err(FormatError::Unsupported("the git index is of no version from 2 to 4"));
    }
    let count = u32::from_be_bytes(reader.array()?);
    let mut links = Vec::new();
    let mut unsafe_path = false;
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..count {
        let entry = next_entry(&mut reader, version, hash_len, &mut path)?;
        if entry.mode == LINK_MODE && entry.stage == 0 {
            // An error only after the extensions: a split index has entries without a path.
            unsafe_path |= !is_safe(&path);
            links.push(path.clone());
        }
    }
    check_extensions(&mut reader)?;
    if unsafe_path {
        return Err(malformed("the path of a link leads out of the repository"));
    }
    Ok(links)
}

/// An error of this format.
fn malformed(detail: &'static str) -> FormatError {
    FormatError::Malformed { format: FORMAT, detail }
}

/// What of an entry matters here; its path is left in the buffer given to [`next_entry`].
struct Entry {
    /// The file type and permissions.
    mode: u32,
    /// Nonzero for the sides of a merge conflict.
    stage: u16,
}

/// Reads the next entry, and makes `path` its path; `path` holds the one before, on which version 4
/// builds.
fn next_entry(
    reader: &mut Reader<'_>,
    version: u32,
    hash_len: usize,
    path: &mut Vec<u8>,
) -> Result<Entry, FormatError> {
    let before = reader.rest.len();
    reader.take(BEFORE_MODE)?;
    let mode = u32::from_be_bytes(reader.array()?);
    reader.take(AFTER_MODE)?;
    reader.take(hash_len)?;
    let flags = u16::from_be_bytes(reader.array()?);
    if flags & EXTENDED != 0 {
        if version == 2 {
            return Err(malformed("an entry of version 2 has extended flags"));
        }
        reader.take(2)?;
    }
    if version == 4 {
        let stripped = reader.variable_number()?;
        let kept = path
            .len()
            .checked_sub(stripped)
            .ok_or(malformed("an entry takes more off the path before it than that is long"))?;
        path.truncate(kept);
    } else {
        path.clear();
    }
    let name = reader.until_nul()?;
    if path.len().saturating_add(name.len()) > LONGEST_PATH {
        return Err(FormatError::Unsupported(
            "the git index holds a path longer than this system can open",
        ));
    }
    path.extend_from_slice(name);
    if version != 4 {
        // One to eight NULs bring the entry to a multiple of eight; one is taken already.
        let length = before.saturating_sub(reader.rest.len());
        let padding = length.next_multiple_of(8).saturating_sub(length);
        reader.take(padding)?;
    }
    Ok(Entry { mode, stage: flags & STAGE })
}

/// Whether the path names something inside the repository; git makes no other, so another is an
/// attempt to have a reader touch a file elsewhere.
fn is_safe(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').all(|part| !part.is_empty() && part != b"." && part != b"..")
}

/// Goes through the extensions, of which those with a lower-case name change what the entries mean.
fn check_extensions(reader: &mut Reader<'_>) -> Result<(), FormatError> {
    while !reader.rest.is_empty() {
        let name: [u8; 4] = reader.array()?;
        let size = usize::try_from(u32::from_be_bytes(reader.array()?))
            .map_err(|_| malformed("an extension is cut short"))?;
        reader.take(size)?;
        match &name {
            b"link" => {
                return Err(FormatError::Unsupported(
                    "the git index is split, and most of its entries are in another file \
                     (`git update-index --no-split-index` joins them)",
                ));
            }
            b"sdir" => {
                return Err(FormatError::Unsupported(
                    "the git index is sparse, and whole folders stand in it as one entry \
                     (`git sparse-checkout reapply --no-sparse-index` expands them)",
                ));
            }
            [b'A'..=b'Z', ..] => {}
            _ => {
                return Err(FormatError::Unsupported(
                    "the git index has an extension that a reader must understand, and this one \
                     does not",
                ));
            }
        }
    }
    Ok(())
}

/// What is left of the bytes; every step is checked.
struct Reader<'index> {
    /// The bytes not read yet.
    rest: &'index [u8],
}

impl<'index> Reader<'index> {
    /// The next `length` bytes.
    fn take(&mut self, length: usize) -> Result<&'index [u8], FormatError> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(malformed("it is cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next bytes as an array.
    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], FormatError> {
        let (taken, rest) =
            self.rest.split_first_chunk::<LENGTH>().ok_or(malformed("it is cut short"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The bytes up to the next NUL, which is taken too.
    fn until_nul(&mut self) -> Result<&'index [u8], FormatError> {
        let nul =
            self.rest.iter().position(|byte| *byte == 0).ok_or(malformed("it is cut short"))?;
        let name = self.take(nul)?;
        self.take(1)?;
        Ok(name)
    }

    /// A number of seven bits a byte, highest first; each continued byte adds one, so that no
    /// number has two forms (git's offset encoding).
    fn variable_number(&mut self) -> Result<usize, FormatError> {
        let mut value = 0_usize;
        loop {
            let [byte] = self.array()?;
            value = value
                .checked_mul(128)
                .and_then(|value| value.checked_add(usize::from(byte & 0x7f)))
                .ok_or(malformed("a number is too large"))?;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            value = value.checked_add(1).ok_or(malformed("a number is too large"))?;
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]
mod tests {
    //! The samples were written by git 2.47.3, with `git update-index --index-version` and
    //! `--add --cacheinfo 120000,<blob>,<path>`.

    use super::super::test_support::{Random, bytes_of_hex};
    use super::*;

    /// Three entries: the links `docs/link` and `link`, the file `docs/list`.
    const VERSION_2: &str = "
        4449524300000002000000030000000000000000000000000000000000000000000000000000a00000000000
        00000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d0009646f63732f6c696e6b0000000000
        0000000000000000000000000000000000000000000081a40000000000000000000000001de565933b05f74c
        75ff9a6520af5f9f8a5a2f1d0009646f63732f6c697374000000000000000000000000000000000000000000
        000000000000a0000000000000000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d00046c69
        6e6b000000000000632dd71d610fae1eb5cc605387aaaa1658a93cf3";

    /// As above with `docs/link` skip-worktree, a link `fresh` added by `git add -N`, and the link
    /// `merge` at stages 1 and 2.
    const VERSION_3: &str = "
        4449524300000003000000060000000000000000000000000000000000000000000000000000a00000000000
        00000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d40094000646f63732f6c696e6b000000
        00000000000000000000000000000000000000000000000000000000000081a4000000000000000000000000
        1de565933b05f74c75ff9a6520af5f9f8a5a2f1d0009646f63732f6c69737400000000000000000000000000
        0000000000000000000000000000a000000000000000000000000000e69de29bb2d1d6434b8b29ae775ad8c2
        e48c53914005200066726573680000000000000000000000000000000000000000000000000000000000a000
        0000000000000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d00046c696e6b000000000000
        0000000000000000000000000000000000000000000000000000a0000000000000000000000000001de56593
        3b05f74c75ff9a6520af5f9f8a5a2f1d10056d65726765000000000000000000000000000000000000000000
        00000000000000000000a0000000000000000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d
        20056d6572676500000000008d7cca6dd60f2f89b9b78ca6d2a1dbd1b74ed040";

    /// As the first, and the link `docs/merge` at stage 2.
    const VERSION_4: &str = "
        4449524300000004000000040000000000000000000000000000000000000000000000000000a00000000000
        00000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d000900646f63732f6c696e6b00000000
        000000000000000000000000000000000000000000000081a40000000000000000000000001de565933b05f7
        4c75ff9a6520af5f9f8a5a2f1d00090273740000000000000000000000000000000000000000000000000000
        00a0000000000000000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d200a046d6572676500
        0000000000000000000000000000000000000000000000000000a0000000000000000000000000001de56593
        3b05f74c75ff9a6520af5f9f8a5a2f1d00040a6c696e6b00a04bb59d40d4e0ad968a355c9462f1fdc76e95cd";

    /// Version 2 in a repository of SHA-256.
    const SHA_256: &str = "
        4449524300000002000000030000000000000000000000000000000000000000000000000000a00000000000
        0000000000000000fed183069fe19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b020009646f
        63732f6c696e6b0000000000000000000000000000000000000000000000000000000000000081a400000000
        0000000000000000fed183069fe19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b020009646f
        63732f6c69737400000000000000000000000000000000000000000000000000000000000000a00000000000
        0000000000000000fed183069fe19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b0200046c69
        6e6b000001c49ae70dc19e0ff2a0a2c8d323a01e89d8060fbc99bcbc338727bc4e74e0ea";

    /// Version 4 in a repository of SHA-256.
    const SHA_256_VERSION_4: &str = "
        4449524300000004000000030000000000000000000000000000000000000000000000000000a00000000000
        0000000000000000fed183069fe19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b0200090064
        6f63732f6c696e6b00000000000000000000000000000000000000000000000000000081a400000000000000
        0000000000fed183069fe19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b0200090273740000
        00000000000000000000000000000000000000000000000000a000000000000000000000000000fed183069f
        e19669f65384b7a5d87b447abf0a29591abf6800df208a55af5b020004096c696e6b005021d2e5e0993a92a9
        27d2062d1ec9443aed640cbb3a8a49db7f6f9025b9aa2a";

    /// After `git update-index --split-index` and a changed mode.
    const SPLIT: &str = "
        444952430000000200000001000000000000000000000000000000000000000000000000000081a400000000
        00000000000000001de565933b05f74c75ff9a6520af5f9f8a5a2f1d000000006c696e6b00000044632dd71d
        610fae1eb5cc605387aaaa1658a93cf300000000000000010000000000000000000000000000000200000002
        00000002000000000000000000000002000000009ac81da5709e9a1991aa785e2b9452896ecee97d";

    /// After `git sparse-checkout set --cone --sparse-index in`.
    const SPARSE: &str = "
        4449524300000003000000030000000000000000000000000000000000000000000000000000400000000000
        00000000000000004246ec9bf3c28b7697bc9e5ff53cca6aedf3159640054000646f63732f0000006b0316b2
        2c10d4476b0316b22c10d4470000fe000099c1c7000081a40000000000000000000000061de565933b05f74c
        75ff9a6520af5f9f8a5a2f1d0007696e2f66696c650000006b0316b22c10d4476b0316b22c10d4470000fe00
        0099c1c80000a0000000000000000000000000061de565933b05f74c75ff9a6520af5f9f8a5a2f1d00046c69
        6e6b0000000000005452454500000051003320320a66e5a13aad00b3be92e4a207aebc753c3063940c696e00
        3120300a0ebaab7194628aaf6c5862df8c2ab3f28e16ebf9646f6373003120300a4246ec9bf3c28b7697bc9e
        5ff53cca6aedf31596736469720000000083bf2a4c2bf9a27acb9dfc68255434ff07312fda";

    fn links(text: &str, hash_len: usize) -> Vec<Vec<u8>> {
        link_entries(&bytes_of_hex(text), hash_len).unwrap()
    }

    /// An index without extensions of one entry, its bytes after the stage given.
    fn index_of(version: u8, mode: u32, flags: u16, path_field: &[u8]) -> Vec<u8> {
        let mut index = vec![b'D', b'I', b'R', b'C', 0, 0, 0, version, 0, 0, 0, 1];
        let mut entry = vec![0; BEFORE_MODE];
        entry.extend(mode.to_be_bytes());
        entry.extend([0; AFTER_MODE + 20]);
        entry.extend(flags.to_be_bytes());
        entry.extend(path_field);
        entry.push(0);
        if version != 4 {
            entry.resize(entry.len().next_multiple_of(8), 0);
        }
        index.extend(entry);
        index.extend([0; 20]);
        index
    }

    #[test]
    fn every_version_gives_its_links() {
        let expected: [&[u8]; 2] = [b"docs/link", b"link"];
        assert_eq!(links(VERSION_2, 20), expected);
        assert_eq!(links(VERSION_4, 20), expected);
        assert_eq!(links(SHA_256, 32), expected);
        assert_eq!(links(SHA_256_VERSION_4, 32), expected);
        let expected: [&[u8]; 3] = [b"docs/link", b"fresh", b"link"];
        assert_eq!(links(VERSION_3, 20), expected);
    }

    #[test]
    fn split_and_sparse_are_unsupported() {
        let refusal = |text| link_entries(&bytes_of_hex(text), 20).unwrap_err().to_string();
        assert!(refusal(SPLIT).contains("is split"));
        assert!(refusal(SPARSE).contains("is sparse"));
    }

    #[test]
    fn extensions_are_told_apart_by_their_first_letter() {
        let plain = bytes_of_hex(VERSION_2);
        let with = |name: &[u8]| {
            let mut index = plain[..plain.len() - 20].to_vec();
            index.extend(name);
            index.extend([0, 0, 0, 2, 1, 2]);
            index.extend([0; 20]);
            link_entries(&index, 20)
        };
        assert_eq!(with(b"ZZZZ").unwrap().len(), 2);
        assert!(matches!(with(b"zzzz"), Err(FormatError::Unsupported(_))));
        assert!(matches!(with(b"ZZ"), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn versions_and_hashes_out_of_range() {
        for version in [0, 1, 5, 255] {
            let index = index_of(version, LINK_MODE, 0, b"a");
            assert!(matches!(link_entries(&index, 20), Err(FormatError::Unsupported(_))));
        }
        for hash_len in [0, 16, 21, usize::MAX] {
            let index = bytes_of_hex(VERSION_2);
            assert!(matches!(link_entries(&index, hash_len), Err(FormatError::Unsupported(_))));
        }
        assert!(link_entries(&bytes_of_hex(VERSION_2), 32).is_err());
        assert!(link_entries(&bytes_of_hex(SHA_256), 20).is_err());
    }

    #[test]
    fn only_links_outside_of_conflicts() {
        let one = |mode, flags| link_entries(&index_of(2, mode, flags, b"a"), 20).unwrap().len();
        assert_eq!(one(LINK_MODE, 1), 1);
        assert_eq!(one(LINK_MODE, 0x8001), 1);
        assert_eq!(one(LINK_MODE, 0x1001), 0);
        assert_eq!(one(0o100_644, 1), 0);
        assert_eq!(one(0o160_000, 1), 0);
    }

    #[test]
    fn paths_that_lead_elsewhere_are_malformed() {
        for path in [&b""[..], b"/etc/passwd", b"../x", b"a/../../x", b"a//b", b"a/", b"./a"] {
            let index = index_of(2, LINK_MODE, 0, path);
            assert!(matches!(link_entries(&index, 20), Err(FormatError::Malformed { .. })));
        }
        for path in [&b"a/..b/c"[..], b"...", b"\xff"] {
            assert_eq!(link_entries(&index_of(2, LINK_MODE, 0, path), 20).unwrap(), [path]);
        }
    }

    #[test]
    fn long_paths() {
        let longest = [b'a'; LONGEST_PATH];
        assert_eq!(link_entries(&index_of(2, LINK_MODE, 0xfff, &longest), 20).unwrap(), [longest]);
        let longer = [b'a'; LONGEST_PATH + 1];
        let index = index_of(3, LINK_MODE, 0xfff, &longer);
        assert!(matches!(link_entries(&index, 20), Err(FormatError::Unsupported(_))));
    }

    #[test]
    fn numbers_in_git_s_offset_encoding() {
        let number = |bytes: &[u8]| Reader { rest: bytes }.variable_number();
        assert_eq!(number(&[0]).unwrap(), 0);
        assert_eq!(number(&[0x7f]).unwrap(), 127);
        assert_eq!(number(&[0x80, 0]).unwrap(), 128);
        assert_eq!(number(&[0xff, 0x7f]).unwrap(), 16_511);
        assert_eq!(number(&[0x80, 0x80, 0]).unwrap(), 16_512);
        assert!(number(&[0x80]).is_err());
        assert!(number(&[0xff; 12]).is_err());
        let beyond = index_of(4, LINK_MODE, 0, b"\x01a");
        assert!(matches!(link_entries(&beyond, 20), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn a_count_that_is_not_there_reserves_nothing() {
        let mut index = bytes_of_hex(VERSION_2);
        index[8..12].copy_from_slice(&[0xff; 4]);
        assert!(matches!(link_entries(&index, 20), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let index = bytes_of_hex(VERSION_4);
        for length in 0..index.len() {
            assert!(link_entries(&index[..length], 20).is_err(), "{length}");
        }
    }

    #[test]
    fn mutations_do_no_harm() {
        let mut random = Random::new(0x61d);
        let valid = [VERSION_2, VERSION_3, VERSION_4, SPLIT, SPARSE].map(bytes_of_hex);
        for _ in 0..4_000 {
            for index in &valid {
                drop(link_entries(&random.mutated(index), 20));
            }
        }
    }
}
