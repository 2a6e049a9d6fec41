//! What an entry carries beside what every entry has.

use linkwell_model::holding::Carried;
use rustix::fd::{AsRawFd as _, BorrowedFd};

/// The attributes of an entry, as far as this user may see them: only their names and lengths are asked
/// for. What the system gives every file anew where it comes to stand (labels of SELinux) is no loss.
pub(super) fn asked(at: BorrowedFd<'_>, name: &[u8]) -> Carried {
    let mut carried = Carried::default();
    let mut path = format!("/proc/self/fd/{}/", at.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    let mut names: Vec<u8> = Vec::new();
    // Most entries have none, and then the first question is the last.
    match rustix::fs::llistxattr(&*path, &mut [0_u8; 0]) {
        Ok(length) if length > 0 => names.reserve_exact(length + 256),
        _ => return carried,
    }
    if rustix::fs::llistxattr(&*path, rustix::buffer::spare_capacity(&mut names)).is_err() {
        return carried;
    }
    for attribute in names.split(|byte| *byte == 0).filter(|attribute| !attribute.is_empty()) {
        match attribute {
            b"system.posix_acl_access" | b"system.posix_acl_default" | b"system.nfs4_acl" => {
                carried.lists = true;
            }
            b"security.capability" => carried.capabilities = true,
            b"security.selinux" | b"security.SMACK64" | b"security.ima" | b"security.evm" => {}
            other if other.starts_with(b"system.") => {}
            other => {
                carried.attributes = true;
                let length = rustix::fs::lgetxattr(&*path, other, &mut [0_u8; 0]).unwrap_or(0);
                carried.longest_value = carried.longest_value.max(length);
            }
        }
    }
    carried
}
