//! Amounts, in words.

/// Bytes in the unit that makes them readable.
pub fn size(bytes: u64) -> String {
    let mut rest = bytes;
    let mut tenths = 0;
    let mut units = ["bytes", "kB", "MB", "GB", "TB", "PB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while rest >= 1000 {
        let Some(next) = units.next() else { break };
        tenths = rest % 1000 / 100;
        rest /= 1000;
        unit = next;
    }
    if unit == "bytes" { format!("{rest} {unit}") } else { format!("{rest}.{tenths} {unit}") }
}

/// A number with its thousands apart.
pub fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in
            [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5_640_000_000, "5.6 GB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(counted(number), text);
        }
    }
}
