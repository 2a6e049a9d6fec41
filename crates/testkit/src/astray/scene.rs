//! Trees with many links, as lines of bash: `$T` is where, `$S` a folder for whatever else is needed; `$LONG` is 1
//! where the network may be used and size does not matter.

use crate::daily::input::PNPM;
use crate::need::Need;

/// A tree full of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A home whose settings lie in a git repository, linked to by GNU stow.
    Stow,
    /// What pnpm makes.
    Pnpm,
    /// This system's alternatives and what they lead to, copied aside.
    Alternatives,
}

impl Scene {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Stow, Self::Pnpm, Self::Alternatives];

    /// Its name in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stow => "stow",
            Self::Pnpm => "pnpm",
            Self::Alternatives => "alternatives",
        }
    }

    /// What it needs.
    pub fn needs(self) -> &'static [Need] {
        match self {
            Self::Stow => &[Need::Program("stow"), Need::Program("git")],
            Self::Pnpm => &[],
            Self::Alternatives => &[Need::Program("update-alternatives")],
        }
    }

    pub(super) fn make(self) -> &'static str {
        match self {
            Self::Stow => STOW,
            Self::Pnpm => PNPM,
            Self::Alternatives => ALTERNATIVES,
        }
    }

    /// The folder in which a file manager shows many things that links lead to.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Stow => "dotfiles/shell",
            Self::Pnpm => "node_modules/.pnpm",
            Self::Alternatives => "root/usr/bin",
        }
    }
}

/// Folders are linked to as a whole where nothing else is in them, as stow does; of one package each file is.
const STOW: &str = r#"
mkdir -p "$T/dotfiles" "$T/.config" "$T/bin"
cd "$T/dotfiles"
git init -q
count=4; [ "$LONG" = 1 ] && count=60
for package in shell editor desktop tools; do
    mkdir -p $package/.config/$package/more $package/bin
    for number in $(seq $count); do
        echo "settings $package $number" > $package/.config/$package/part-$number
        echo "more $package $number" > $package/.config/$package/more/part-$number
        printf '#!/bin/sh\necho %s %s\n' $package $number > $package/bin/$package-$number
        echo "rc $package $number" > $package/.$package-rc-$number
    done
done
git add -A
git commit -q -m settings
stow -t "$T" shell editor desktop
stow -t "$T" --no-folding tools
"#;

/// The links themselves are those of this system; what they lead to lies aside, and so their texts do too. Links
/// from the folder of programs lead through them, as those of the system do.
const ALTERNATIVES: &str = r#"
mkdir -p "$T/root" "$T/programs"
cp -a /etc/alternatives "$T/alternatives"
cd "$T/alternatives"
count=0
for link in *; do
    to=$(readlink "$link") || continue
    case $to in /*) ;; *) rm "$link"; continue;; esac
    if [ ! -e "$to" ] || [ "$LONG" != 1 -a "$count" -ge 12 ]; then rm "$link"; continue; fi
    count=$((count + 1))
    mkdir -p "$T/root${to%/*}"
    [ -e "$T/root$to" ] || cp -aL "$to" "$T/root$to"
    ln -sfn "$T/root$to" "$link"
    ln -s "$T/alternatives/$link" "$T/programs/$link"
done
"#;
