//! The folders that `rclone bisync` keeps names of, told from the names of its own files.
//!
//! For each pair it keeps `ONE..TWO.path1.lst`, where ONE and TWO are the paths with `/`, `\`, `:`, `?`, `*`
//! and blanks written as `_` (rclone, `cmd/bisync/bilib/names.go`). So a path can be told only by looking
//! which folders are written so; where there are several, it is not told.

use super::{reading, rooted};
use crate::live::Live;
use linkwell_model::path::AbsPath;

/// So many folders are listed for one path.
const MOST_LISTED: usize = 200;

/// The folders of this computer that the name of such a file means.
pub(super) fn folders(live: &mut Live, name: &[u8]) -> Vec<AbsPath> {
    let Some(name) = name.strip_suffix(b".path1.lst") else { return Vec::new() };
    let Some(dots) = name.windows(2).position(|two| two == b"..") else { return Vec::new() };
    let sides = [name.get(..dots), name.get(dots + 2..)];
    sides.into_iter().flatten().filter_map(|side| written(live, side)).collect()
}

/// The one folder that is written so.
fn written(live: &mut Live, side: &[u8]) -> Option<AbsPath> {
    let mut search = Search { live, listed: 0, found: Vec::new() };
    search.below(&AbsPath::root(), side);
    match search.found.as_slice() {
        [one] if search.listed <= MOST_LISTED => Some(one.clone()),
        _ => None,
    }
}

struct Search<'l> {
    live: &'l mut Live,
    listed: usize,
    found: Vec<AbsPath>,
}

impl Search<'_> {
    fn below(&mut self, folder: &AbsPath, rest: &[u8]) {
        self.listed += 1;
        if self.listed > MOST_LISTED || !self.live.volumes().gives_answer(folder) {
            return;
        }
        let mut names = reading::names(self.live, folder).unwrap_or_default();
        names.sort_unstable();
        for name in names {
            let way = match rest.strip_prefix(canonical(&name).as_slice()) {
                Some(b"") => None,
                Some(way) => match way.strip_prefix(b"_") {
                    Some(way) => Some(way),
                    None => continue,
                },
                None => continue,
            };
            let place = folder.joined(&name);
            // A link here would be a second way to the same.
            if rooted::folder(self.live, &place).as_ref() != Some(&place) {
                continue;
            }
            match way {
                Some(way) => self.below(&place, way),
                None => self.found.push(place),
            }
        }
    }
}

/// A name as it stands in the name of such a file.
fn canonical(name: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| {
        let is_replaced =
            byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'/' | b':' | b'?' | b'*');
        if is_replaced { b'_' } else { *byte }
    };
    name.iter().map(plain).collect()
}
