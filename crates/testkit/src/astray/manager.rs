//! A file manager (PCManFM) on a display in memory, its keys pressed as a person would.

use std::path::Path;
use std::process::{Command, Stdio};

/// `$FROM` is a folder; everything that is in it goes to the folder `$TO`. A file manager takes its keys from a
/// display with a window manager only.
const MOVE: &str = r#"
trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
export HOME=$S/desk XDG_RUNTIME_DIR=$S/desk
mkdir -p -m 700 "$HOME/.config/libfm" "$HOME/.config/pcmanfm/default"
printf '[config]\nsingle_click=0\n' > "$HOME/.config/libfm/libfm.conf"
printf '[ui]\nshow_hidden=1\n' > "$HOME/.config/pcmanfm/default/pcmanfm.conf"
exec 3> "$S/display"
Xvfb -displayfd 3 -screen 0 1000x700x24 -nolisten tcp > "$S/x.log" 2>&1 &
for try in $(seq 200); do [ -s "$S/display" ] && break; sleep 0.05; done
export DISPLAY=:$(cat "$S/display")
openbox > "$S/wm.log" 2>&1 &
dbus-run-session -- pcmanfm --no-desktop "$FROM" > "$S/fm.log" 2>&1 &
window=$(timeout 60 xdotool search --sync --onlyvisible --class pcmanfm | head -1)
timeout 60 xdotool windowactivate --sync "$window"
sleep 1
for try in 1 2 3 4 5; do
    xdotool key ctrl+a; sleep 0.5
    xdotool key ctrl+x; sleep 0.5
    xdotool key ctrl+l; sleep 0.5
    xdotool key ctrl+a
    xdotool type --delay 10 "$TO"
    xdotool key Return; sleep 1.5
    xdotool key ctrl+v
    for look in $(seq 60); do
        [ -n "$(ls -A "$FROM")" ] || exit 0
        sleep 0.1
    done
    # The keys went nowhere yet: back, and once more.
    xdotool key Escape
    xdotool key ctrl+l; sleep 0.5
    xdotool key ctrl+a
    xdotool type --delay 10 "$FROM"
    xdotool key Return; sleep 1.5
done
echo "it was not moved"
exit 1
"#;

/// Moves all that is in a folder to another one.
pub(super) fn all(from: &Path, to: &Path, scratch: &Path) -> Result<(), String> {
    drop(std::fs::remove_file(scratch.join("display")));
    let ran = Command::new("bash")
        .args(["--norc", "-uo", "pipefail", "-c", MOVE])
        .env("FROM", from)
        .env("TO", to)
        .env("S", scratch)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stdout, ran.stderr].concat();
    Err(format!("the file manager: {}", String::from_utf8_lossy(&said)))
}
