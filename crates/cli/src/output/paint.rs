//! Colours, as a help for the eye only: every line reads the same without them.

use crate::args::Color;
use anstyle::{AnsiColor, Style};
use linkwell_model::health::Health;
use std::io::Write as _;

/// Whether, and how, to colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For standard output.
    pub(crate) fn new(color: Color) -> Self {
        Self(match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
            }
        })
    }

    /// The style of a health, and its end.
    pub(crate) fn health(self, health: Health) -> Painted {
        let color = match health {
            Health::Ok => AnsiColor::Green,
            Health::Broken | Health::Loop | Health::NotADirectory | Health::Replaced => {
                AnsiColor::Red
            }
            Health::Asleep => AnsiColor::Blue,
            Health::Denied | Health::Unknown | Health::Retargeted => AnsiColor::Yellow,
        };
        self.style(color.on_default())
    }

    /// A heading.
    pub(crate) fn strong(self) -> Painted {
        self.style(Style::new().bold())
    }

    fn style(self, style: Style) -> Painted {
        Painted(if self.0 { style } else { Style::new() })
    }
}

/// A style to begin (`{}`) and end (`{:#}`) with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Painted(Style);

impl Painted {
    /// Writes `text` in this style; a plain style costs nothing, for a million lines.
    pub(crate) fn write(self, out: &mut Vec<u8>, text: &str) {
        if self.0.is_plain() {
            out.extend_from_slice(text.as_bytes());
        } else {
            // Writing into memory cannot fail.
            drop(write!(out, "{self}{text}{self:#}"));
        }
    }
}

impl std::fmt::Display for Painted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}
