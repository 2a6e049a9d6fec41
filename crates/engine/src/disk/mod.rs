//! The one door: every call of linkwell that changes a file system.
//!
//! Each primitive works on a held folder and one component of a path ([`Name`]), so nothing that
//! somebody swaps on the way can lead a change elsewhere. None follows a link, and none replaces
//! what is there unless its name says so. What changes a disk asks for a `&dyn Disk`: the tests put
//! others in its place, which count the primitives, fail the n-th, or stop there.

mod contents;
mod unix;

pub use unix::Unix;

use linkwell_calls::attributes::Attributes;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::ops::Range;

/// What is neither file, folder nor link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// A named pipe.
    Pipe,
    /// A socket, which nobody listens at.
    Socket,
    /// A character device of this number.
    Character(u64),
    /// A block device of this number.
    Block(u64),
}

/// The primitives.
///
/// # Errors
/// Every one gives the system's error, and has then changed nothing, except [`Disk::write`],
/// [`Disk::write_at`] and [`Disk::copy`], which may have written a part, and the two that sync.
#[expect(clippy::missing_errors_doc, reason = "said once, for all of them")]
pub trait Disk: Sync {
    /// Makes a folder for nobody but its owner. EEXIST when anything has that name.
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno>;

    /// Makes a folder that others may use as far as the user's umask lets them, as `mkdir` does. EEXIST when
    /// anything has that name.
    fn make_common_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno>;

    /// Makes a symbolic link. EEXIST when anything has that name.
    fn make_link(&self, at: BorrowedFd<'_>, name: &Name, target: &Target) -> Result<(), Errno>;

    /// Gives the file that `file` holds (opened with `O_PATH`, standing at `of` in `from`) another
    /// name. EEXIST when anything has that name.
    ///
    /// Where the system cannot link what is held (before Linux 6.10, unless privileged), the file
    /// that is then called `of` gets the name: look at it afterwards.
    fn make_name(
        &self,
        file: BorrowedFd<'_>,
        from: BorrowedFd<'_>,
        of: &Name,
        at: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<(), Errno>;

    /// Makes an empty file for nobody but its owner and opens it for writing. EEXIST when anything
    /// has that name.
    fn make_file(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Errno>;

    /// The same with other permission bits, of which the process' own mask takes some away.
    fn make_file_as(&self, at: BorrowedFd<'_>, name: &Name, mode: u32) -> Result<OwnedFd, Errno>;

    /// Makes a pipe, socket or device, with these permission bits as [`Disk::make_file_as`]. EEXIST
    /// when anything has that name; EPERM for a device without the right to make them.
    fn make_special(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        special: Special,
        mode: u32,
    ) -> Result<(), Errno>;

    /// Appends all of `bytes` to an open file.
    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno>;

    /// Writes all of `bytes` to this place of an open file.
    fn write_at(&self, file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno>;

    /// Copies a stretch of one open file to the same place of another, and gives the place that was
    /// reached: less than the end of the stretch when the file ended before.
    fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<u64, Errno>;

    /// Lets an open empty file share the contents of another until one of them is changed. EXDEV,
    /// ENOTSUP, EINVAL or ENOTTY where the file systems cannot.
    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno>;

    /// Lets a stretch of an open file share what lies in another, or elsewhere in the same, from a place
    /// on: whole blocks, or up to the end of both. The same errors as for [`Disk::share`].
    fn share_stretch(
        &self,
        from: (BorrowedFd<'_>, u64),
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<(), Errno>;

    /// Reserves room for a stretch of an open file; its length and contents stay. ENOTSUP where the
    /// file system cannot.
    fn allocate(&self, file: BorrowedFd<'_>, stretch: Range<u64>) -> Result<(), Errno>;

    /// Cuts an open file to this length in bytes, and goes on writing there.
    fn cut(&self, file: BorrowedFd<'_>, length: u64) -> Result<(), Errno>;

    /// Exchanges two names in one step. EINVAL where the file system cannot, and EXDEV on some that
    /// lie in layers.
    fn exchange(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        other: BorrowedFd<'_>,
        with: &Name,
    ) -> Result<(), Errno>;

    /// Renames. EEXIST when anything has the new name; EINVAL where the file system cannot promise
    /// that.
    fn rename_new(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno>;

    /// Renames, replacing what has the new name. Only for where nothing better is to be had.
    fn rename_over(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno>;

    /// Removes a name that is not a folder's.
    fn drop_name(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno>;

    /// Removes an empty folder.
    fn drop_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno>;

    /// Gives what is held (`O_PATH` is enough) to a user and a group.
    fn own(&self, held: BorrowedFd<'_>, owner: u32, group: u32) -> Result<(), Errno>;

    /// Sets the permission bits of what is held (`O_PATH` is enough, where `/proc` is).
    fn permit(&self, held: BorrowedFd<'_>, mode: u32) -> Result<(), Errno>;

    /// Sets when what is held (`O_PATH` is enough) was last read and changed.
    fn times(&self, held: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<(), Errno>;

    /// Sets an extended attribute of what is held (`O_PATH` is enough, where `/proc` is).
    fn mark(&self, held: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno>;

    /// Sets the flags, the project and the like of an open file or folder. What the file system does
    /// not know it may ignore in silence.
    fn flag(&self, held: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno>;

    /// Makes what was done to an open file or folder last through a power cut. What it gives after an
    /// error says nothing about a second try: fsync(2) reports each failure once.
    fn sync(&self, held: BorrowedFd<'_>) -> Result<(), Errno>;

    /// The same for everything that was done to the volume of an open file or folder.
    fn sync_volume(&self, held: BorrowedFd<'_>) -> Result<(), Errno>;
}
