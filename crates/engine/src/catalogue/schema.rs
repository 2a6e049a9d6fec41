//! The form of the catalogue, and how an older one is brought up.

use super::{PATIENCE, Trouble};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The number of the form that this version writes (`PRAGMA user_version`).
pub(super) const FORM: i64 = 2;

/// What makes each form of the one before it; the first of nothing.
const STEPS: [&str; 2] = [
    // Places and names are bytes. `target.place` is the entry that texts name; a range of it is all that
    // lies below a folder.
    "CREATE TABLE target (
        id INTEGER PRIMARY KEY,
        place BLOB NOT NULL UNIQUE,
        kind INTEGER, volume_kind INTEGER, uuid BLOB, fsid INTEGER, trust INTEGER, device INTEGER,
        inode INTEGER, born_s INTEGER, born_n INTEGER,
        handle_kind INTEGER, handle BLOB, connectable_kind INTEGER, connectable BLOB,
        parent_kind INTEGER, parent BLOB,
        name BLOB, size INTEGER, modified_s INTEGER, modified_n INTEGER, names INTEGER, owner INTEGER,
        ends BLOB, whole BLOB, shape BLOB,
        seen INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX target_inode ON target (inode);
    CREATE TABLE link (
        id INTEGER PRIMARY KEY,
        folder BLOB NOT NULL, name BLOB NOT NULL,
        text BLOB NOT NULL, kind TEXT NOT NULL,
        device INTEGER NOT NULL, inode INTEGER NOT NULL, born_s INTEGER, born_n INTEGER,
        target INTEGER NOT NULL REFERENCES target (id),
        by TEXT NOT NULL, policy TEXT NOT NULL,
        seen INTEGER NOT NULL,
        UNIQUE (folder, name)
    ) STRICT;
    CREATE INDEX link_target ON link (target);
    -- What waits for a person: one row a candidate, numbered; a question without candidates has one row
    -- whose place is absent.
    CREATE TABLE question (
        link INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        asked INTEGER NOT NULL, why TEXT NOT NULL,
        place BLOB, words TEXT,
        PRIMARY KEY (link, number)
    ) STRICT, WITHOUT ROWID;
    -- What the watcher did of late.
    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        time INTEGER NOT NULL, what TEXT NOT NULL,
        place BLOB NOT NULL, old BLOB, new BLOB, operation INTEGER
    ) STRICT;
    -- Folders below which every link was recorded, and when.
    CREATE TABLE root (place BLOB PRIMARY KEY, recorded INTEGER NOT NULL, links INTEGER NOT NULL)
        STRICT, WITHOUT ROWID;",
    // What else links depend on: links and folders on their way, and where their texts seem to lead. Folders
    // that were recorded without it answer nothing.
    "CREATE TABLE tie (
        place BLOB NOT NULL,
        link INTEGER NOT NULL REFERENCES link (id) ON DELETE CASCADE,
        PRIMARY KEY (place, link)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX tie_link ON tie (link);
    DELETE FROM root;",
];

/// Sets the connection up and brings the form to today's; whether the catalogue was made just now.
pub(super) fn prepare(database: &mut Connection) -> Result<bool, Trouble> {
    // A reader never waits for a writer. NORMAL keeps the file sound through a power cut, and may lose
    // the last transactions: it is a cache.
    log_ahead(database)?;
    database.pragma_update(None, "synchronous", "NORMAL")?;
    database.pragma_update(None, "foreign_keys", true)?;
    let form = |database: &Connection| -> Result<i64, Trouble> {
        Ok(database.pragma_query_value(None, "user_version", |row| row.get(0))?)
    };
    let found = form(database)?;
    if found == FORM {
        return Ok(false);
    }
    if found > FORM {
        return Err(Trouble::Newer(found));
    }
    // Several processes may come here at once; the first one does it.
    let upgrade = database.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let found = form(&upgrade)?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        upgrade.execute_batch(step)?;
    }
    upgrade.pragma_update(None, "user_version", FORM)?;
    upgrade.commit()?;
    Ok(found == 0)
}

/// Switches the file to a log that is written ahead. It stays so, hence only the first of several that come
/// at once has to; SQLite tells the others that the file is in use without asking how long they would
/// wait (its busy handler is left out where waiting might be for each other: `sqlite3_busy_handler`).
fn log_ahead(database: &Connection) -> Result<(), Trouble> {
    let since = Instant::now();
    loop {
        match database.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && since.elapsed() < PATIENCE =>
            {
                sleep(Duration::from_millis(2));
            }
            answer => return Ok(answer?),
        }
    }
}
