//! What people really move, and the programs that use it: as lines of bash.
//!
//! `$T` is the tree, by its path as its user knows it; `$S` a folder for whatever else is needed; `$LONG` is 1
//! where the network may be used and size does not matter.

use crate::need::Need;

/// Something that people move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A home of cargo's with its registry, and a crate with its target folder.
    Cargo,
    /// What pnpm makes: a forest of links and of hard links to a store.
    Pnpm,
    /// A git repository with packs, a hook, a worktree, and a clone that borrows its objects.
    Git,
    /// A SQLite database in WAL mode.
    Sqlite,
    /// Large files, sparse ones and reserved ones too.
    Large,
}

impl Input {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Cargo, Self::Pnpm, Self::Git, Self::Sqlite, Self::Large];

    /// Its name in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::Pnpm => "pnpm",
            Self::Git => "git",
            Self::Sqlite => "sqlite",
            Self::Large => "large",
        }
    }

    /// What it needs beside volumes.
    pub fn needs(self) -> &'static [Need] {
        match self {
            Self::Cargo => &[Need::Program("cargo")],
            Self::Pnpm => &[Need::Program("node")],
            Self::Git => &[Need::Program("git")],
            Self::Sqlite => &[Need::Program("sqlite3")],
            Self::Large => &[],
        }
    }

    /// Makes it at `$T`.
    pub(super) fn make(self) -> &'static str {
        match self {
            Self::Cargo => CARGO,
            Self::Pnpm => PNPM,
            Self::Git => GIT,
            Self::Sqlite => SQLITE,
            Self::Large => LARGE,
        }
    }

    /// Uses it through the link at `$T`, reading and writing. It fails unless all is as it should be.
    pub(super) fn works(self) -> &'static str {
        match self {
            Self::Cargo => CARGO_WORKS,
            Self::Pnpm => PNPM_WORKS,
            Self::Git => GIT_WORKS,
            Self::Sqlite => SQLITE_WORKS,
            Self::Large => LARGE_WORKS,
        }
    }
}

const CARGO: &str = r##"
mkdir -p "$T/crate/src" "$T/home"
export CARGO_HOME=$T/home
if [ "$LONG" = 1 ]; then
    more='serde = { version = "1", features = ["derive"] }
regex = "1"'
    use='println!("{}", regex::Regex::new("o+").map_or(0, |o| o.find_iter("foo").count()));'
fi
printf '[package]\nname = "daily"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n%s\n' "${more:-}" > "$T/crate/Cargo.toml"
printf 'mod one;\nfn main() { println!("{}", one::ONE); %s }\n' "${use:-}" > "$T/crate/src/main.rs"
printf 'pub const ONE: u8 = 1;\n' > "$T/crate/src/one.rs"
if [ "$LONG" = 1 ]; then cargo fetch -q --manifest-path "$T/crate/Cargo.toml"; fi
cargo build -q --offline --manifest-path "$T/crate/Cargo.toml"
"##;

/// Nothing is built anew through the link, since cargo finds every time as it was; and it builds from within.
const CARGO_WORKS: &str = r#"
export CARGO_HOME=$T/home
said=$(cargo build --offline -v --manifest-path "$T/crate/Cargo.toml" 2>&1)
case $said in *Compiling*|*Dirty*) echo "built anew: $said"; exit 1;; esac
[ "$("$T/crate/target/debug/daily" | head -1)" = 1 ]
cd "$T/crate"
cargo build -q --offline
[ "$(cargo run -q --offline | head -1)" = 1 ]
"#;

/// Offline, a forest of the same shape: files with a second name in a store, links from package to package.
pub(crate) const PNPM: &str = r##"
mkdir -p "$T"
cd "$T"
if [ "$LONG" = 1 ]; then
    [ -d "$S/pnpm" ] || npm install -g --silent --no-fund --prefix "$S/pnpm" pnpm > "$S/npm.log" 2>&1
    printf '{"name":"daily","private":true}\n' > package.json
    PATH=$S/pnpm/bin:$PATH
    pnpm add --store-dir "$(dirname "$T")/store" --package-import-method hardlink express typescript > "$S/pnpm.log" 2>&1
    printf 'const app = require("express")(); require("typescript/package.json"); console.log(typeof app.get);\n' > index.js
else
    store=$(dirname "$T")/store
    mkdir -p "$store" node_modules/.bin
    for one in a b c; do
        in=node_modules/.pnpm/$one@1.0.0/node_modules
        mkdir -p "$in/$one"
        printf '{"name":"%s","version":"1.0.0","main":"i.js"}\n' $one > "$in/$one/package.json"
        printf 'module.exports = "%s";\n' $one > "$store/$one.js"
        ln "$store/$one.js" "$in/$one/i.js"
    done
    printf 'module.exports = (require("b") + require("c")) && { get() {} };\n' > node_modules/.pnpm/a@1.0.0/node_modules/a/i.js
    ln -s ../../b@1.0.0/node_modules/b node_modules/.pnpm/a@1.0.0/node_modules/b
    ln -s ../../c@1.0.0/node_modules/c node_modules/.pnpm/a@1.0.0/node_modules/c
    ln -s .pnpm/a@1.0.0/node_modules/a node_modules/a
    ln -s ../a/i.js node_modules/.bin/a
    printf 'console.log(typeof require("a").get);\n' > index.js
fi
"##;

const PNPM_WORKS: &str = r#"
[ "$(node "$T/index.js")" = function ]
cd "$T"
[ "$(node -e 'require("./index.js")')" = function ]
[ "$(node --preserve-symlinks-main index.js)" = function ]
echo "$RANDOM" >> "$T/notes"
if [ "$LONG" = 1 ]; then
    node_modules/.bin/tsc --version
    PATH=$S/pnpm/bin:$PATH pnpm list
fi
"#;

const GIT: &str = r#"
mkdir -p "$T"
cd "$T"
git init -q main
cd main
count=20; [ "$LONG" = 1 ] && count=400
for number in $(seq "$count"); do
    mkdir -p "folder $((number % 7))"
    seq "$number" $((number + 300)) > "folder $((number % 7))/file $number"
    git add -A
    git commit -q -m "change $number"
    [ "$number" != 10 ] || git repack -q -a -d
done
git repack -q
git tag -a -m first v1
ln -s "folder 1" link
git add -A; git commit -q -m "a link"
printf '#!/bin/sh\necho hooked >> "$(git rev-parse --git-common-dir)/hooked"\n' > .git/hooks/post-commit
chmod +x .git/hooks/post-commit
touch .git/hooked
git worktree add -q ../side -b side
git clone -q --shared . ../borrower
echo changed > "folder 1/file 1"
echo new > untracked
"#;

const GIT_WORKS: &str = r#"
for one in main side borrower; do
    git -C "$T/$one" fsck --strict --no-progress
    git -C "$T/$one" log --oneline > "$S/log"
done
[ "$(git -C "$T/main" status --porcelain | sort | tr '\n' ,)" = ' M "folder 1/file 1",?? untracked,' ]
[ -z "$(git -C "$T/borrower" status --porcelain)" ]
git -C "$T/main" worktree list --porcelain > "$S/worktrees"
grep -q "^worktree .*/side$" "$S/worktrees"
! grep -q prunable "$S/worktrees"
hooked=$(wc -l < "$T/main/.git/hooked")
cd "$T/side"
echo "$RANDOM" >> more
git add more
git commit -q -m more
[ "$(wc -l < "$T/main/.git/hooked")" = $((hooked + 1)) ]
git -C "$T/borrower" fetch -q
"#;

const SQLITE: &str = r#"
mkdir -p "$T"
count=2000; [ "$LONG" = 1 ] && count=400000
sqlite3 -batch "$T/db" "PRAGMA journal_mode=WAL; CREATE TABLE t(n INTEGER PRIMARY KEY, text TEXT);
    WITH RECURSIVE c(n) AS (VALUES(1) UNION ALL SELECT n + 1 FROM c WHERE n < $count)
    INSERT INTO t SELECT n, hex(randomblob(100)) FROM c;" > "$S/sqlite"
echo "$count" > "$S/rows"
"#;

const SQLITE_WORKS: &str = r#"
[ "$(sqlite3 -batch "$T/db" 'PRAGMA integrity_check; SELECT count(*) FROM t')" = "ok
$(cat "$S/rows")" ]
sqlite3 -batch "$T/db" "INSERT INTO t(text) VALUES('through the link')"
echo $(($(cat "$S/rows") + 1)) > "$S/rows"
[ "$(sqlite3 -batch "$T/db" 'SELECT count(*) FROM t; PRAGMA integrity_check')" = "$(cat "$S/rows")
ok" ]
"#;

const LARGE: &str = r#"
mkdir -p "$T/films"
size=6; [ "$LONG" = 1 ] && size=600
for number in 1 2 3; do
    head -c "${size}M" /dev/urandom > "$T/films/film $number"
done
truncate -s "$((size * 4))M" "$T/sparse"
for at in 0 1 3; do
    dd if=/dev/urandom of="$T/sparse" bs=1M count=1 seek=$((at * size)) conv=notrunc status=none
done
fallocate -l "${size}M" "$T/reserved"
truncate -s 4M "$T/hole"
"#;

const LARGE_WORKS: &str = r#"
cat "$T"/films/* | tail -c 1000000 | cmp - <(tail -c 1000000 "$T/films/film 3")
echo "$RANDOM" >> "$T/films/film 2"
printf x | dd of="$T/sparse" bs=1 seek=5000 conv=notrunc status=none
"#;
