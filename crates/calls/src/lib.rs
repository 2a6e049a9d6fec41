//! The few system calls that no library offers without unsafe code, each behind a safe face.
//!
//! This is the only crate of the workspace in which unsafe code is allowed. Each call takes a
//! borrowed descriptor, decides nothing and opens nothing. What [`rustix`] has is not here: whole
//! clones (`ioctl_ficlone`), the older file flags (`ioctl_getflags`, `ioctl_setflags`).
//!
//! * [`lease`]: whether anybody has a file open for writing, and to be told when somebody wants to.
//! * [`attributes`]: what `chattr` and `xfs_io` set: immutable, append-only, project, extent size.
//! * [`extents`]: where the data of a file lie, and which of them are shared or never written.
//! * [`clone`]: a part of a file that shares the data of another one.
//! * [`handle`]: the kernel's own names of objects.
//! * [`fanotify`]: what happens to names on a whole file system.
//! * [`volume`]: the number that a volume was given when it was made.
//!
//! All of them are Linux's. On other systems the same functions exist and give ENOTSUP.

pub mod attributes;
pub mod clone;
pub mod extents;
pub mod fanotify;
pub mod handle;
pub mod lease;
pub mod volume;
