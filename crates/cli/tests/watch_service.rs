//! `linkwell watch --install` under a real systemd: a manager of a user's services of the test's own, in
//! namespaces of mounts and processes and in a control group of its own. What is started there ends with it.

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::{crafted, program};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// Where Debian and its kin, Fedora and Arch have the manager; it is not on the search path.
const MANAGER: &str = "/usr/lib/systemd/systemd";

/// Somebody with an account, but no rights.
const SOMEBODY: u32 = 1500;

pub(crate) fn trials() -> Vec<Trial> {
    let real = |name, run: fn()| {
        test_with(name, &[Need::Root, Need::Program(MANAGER), Need::Program("systemctl")], run)
    };
    vec![
        real("watch: under a real systemd the service of an ordinary user does its work", || {
            serves(SOMEBODY);
        }),
        real("watch: under a real systemd so does that of root", || serves(0)),
    ]
}

/// A shell inside, which is given lines and says what came of each.
struct Session {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Sets the stage, and then is that shell. The control group is left by nobody but those who end; so it can go.
const STAGE: &str = r#"
set -e
mount --make-rprivate /
umount -l /sys/fs/cgroup 2> /dev/null || :
mount -t cgroup2 none /sys/fs/cgroup
group=/sys/fs/cgroup/linkwell-test-$$
mkdir "$group"
trap 'for i in 1 2 3 4 5 6 7 8 9; do find "$group" -depth -type d -exec rmdir {} + 2> /dev/null && break; sleep 0.2; done' EXIT
chown -R "$WHO" "$group"
mount -t tmpfs none /run
mkdir -p /run/systemd/system "/run/user/$WHO"
chmod 700 "/run/user/$WHO"
chown -R "$WHO:$WHO" "/run/user/$WHO" "$TREE" "$HOME" "$XDG_STATE_HOME"
[ "$WHO" = 0 ] || let=--bounding-set=-all
export XDG_RUNTIME_DIR="/run/user/$WHO" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$WHO/bus"
GROUP="$group" sh -c 'echo $$ > "$GROUP/cgroup.procs" && exec "$@"' sh \
  unshare --pid --fork --kill-child --mount-proc \
  setpriv --reuid="$WHO" --regid="$WHO" --clear-groups --inh-caps=-all $let bash --norc 2>&1
"#;

impl Session {
    fn new(ground: &Ground, who: u32) -> Self {
        crafted::allow(&ground.scratch().path(), 0o755);
        crafted::copy_program(LINKWELL, &ground.scratch().path());
        let mut command = program::command("unshare", &ground.tree());
        command
            .args(["--mount", "sh", "-c", STAGE])
            .env("HOME", ground.scratch().join("home"))
            .env("XDG_STATE_HOME", ground.scratch().join("state"))
            .env("TREE", ground.tree())
            .env("WHO", who.to_string())
            .env("SYSTEMD_LOG_TARGET", "console")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let asks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut session = Self { child, asks, answers };
        let copy = ground.scratch().join("program");
        session.well(&format!(
            "linkwell() {{ timeout 60 '{}' \"$@\"; }}; unit=linkwell-watch.service",
            copy.display()
        ));
        // Waits until something prints a word; and what it prints in the end.
        session.well(
            "until_is() { local want=$1 i; shift; for i in $(seq 400); do [ \"$(\"$@\")\" = \"$want\" ] && return; \
             sleep 0.05; done; echo \"never $want:\"; \"$@\"; return 1; }; \
             show() { systemctl --user show --value -p \"$1\" \"$unit\"; }",
        );
        session.well(&format!("{MANAGER} --user --log-level=warning > /dev/null 2>&1 &"));
        session.well("until_is running timeout 10 systemctl --user is-system-running 2> /dev/null");
        session
    }

    /// What a line prints, and how it ended.
    fn say(&mut self, line: &str) -> (String, i32) {
        let asks = self.asks.as_mut().expect("open");
        // What is printed last may not end its line.
        writeln!(asks, "{line}\nprintf '\\nended %d\\n' $?").expect("written");
        let mut said = String::new();
        loop {
            let mut one = String::new();
            let count = self.answers.read_line(&mut one).expect("it reads");
            assert!(count > 0, "the session ended in `{line}`: {said}");
            if let Some(code) = one.strip_prefix("ended ") {
                let code = code.trim().parse().expect("a number");
                return (said.trim_end_matches('\n').to_owned(), code);
            }
            said.push_str(&one);
        }
    }

    /// The same, of what ends well.
    fn well(&mut self, line: &str) -> String {
        let (said, code) = self.say(line);
        assert_eq!(code, 0, "`{line}`: {said}");
        said
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The shell ends where its lines end, and all that it is the first process of.
        drop(self.asks.take());
        drop(self.child.wait());
    }
}

fn serves(who: u32) {
    let ground =
        Ground::with(&["t/f", "t/d/inner", "far/", "l/f -> ../t/f", "l/d -> ../t/d", "l2/"]);
    let mut inside = Session::new(&ground, who);
    inside.well("linkwell track -q l");
    let said = inside.well("linkwell watch --install");
    assert!(said.contains("systemctl --user enable --now linkwell-watch.service"), "{said}");
    // Of a service of this type that is active, systemd has heard that it is ready.
    let state = inside.well("show ActiveState; show Type; show StatusText");
    assert!(state.starts_with("active\nnotify\n2 links on record; "), "{state}");
    let said = inside.well("linkwell watch --status");
    assert!(said.ends_with("the service is enabled and active"), "{said}");

    inside.well("mv t/f t/g && until_is ../t/g readlink l/f");
    // One that it reads of when told so, as it is.
    inside.well("echo > t/new && ln -s ../t/new l2/new && linkwell track -q l2");
    inside.well("before=$(show MainPID) && systemctl --user reload $unit");
    inside.well("mv t/new t/newer && until_is ../t/newer readlink l2/new");
    inside.well("until_is $before show MainPID");

    // What it finds when it begins, it finds as well as outside, where nothing is forbidden: a folder by its
    // handle, which takes namespaces of its own for who is not root.
    let moved = |inside: &mut Session, from: &str, to: &str, heal: &str| {
        inside.well("systemctl --user stop $unit");
        inside.well(&format!("mv {from} {to}"));
        inside.well(heal);
        inside.well("readlink l/d")
    };
    let outside = moved(&mut inside, "t/d", "far/one", "linkwell watch --once -q || :");
    // The control: with that forbidden, too, it is lost.
    inside.well(
        "mkdir -p $HOME/.config/systemd/user/$unit.d && cd $HOME/.config/systemd/user/$unit.d && \
         printf '[Service]\\nRestrictNamespaces=yes\\nSystemCallFilter=~open_by_handle_at\\n' > less.conf && cd - \
         && systemctl --user daemon-reload",
    );
    let lost = "systemctl --user start $unit && lost() { show StatusText | grep -o '. lost'; }; \
                until_is '1 lost' lost";
    let forbidden = moved(&mut inside, "far/one", "t/two", lost);
    inside
        .well("rm $HOME/.config/systemd/user/$unit.d/less.conf && systemctl --user daemon-reload");
    inside.well("systemctl --user restart $unit && until_is ../t/two readlink l/d");
    assert_eq!((outside.as_str(), forbidden.as_str()), ("../far/one", "../far/one"));

    // It says that it lives as often as is asked for; and is started anew when it does not.
    inside.well(
        "printf '[Service]\\nWatchdogSec=2\\nRestartSec=100ms\\n' \
         > $HOME/.config/systemd/user/$unit.d/soon.conf && systemctl --user daemon-reload \
         && systemctl --user restart $unit && sleep 5",
    );
    assert_eq!(inside.well("show NRestarts; show WatchdogUSec"), "0\n2s");
    inside.well("kill -STOP $(show MainPID) && until_is 1 show NRestarts");
    inside.well("until_is active show ActiveState");
    inside.well("mv t/g t/h && until_is ../t/h readlink l/f");

    let said = inside.well("linkwell watch --uninstall");
    assert!(said.contains("systemctl --user disable --now linkwell-watch.service"), "{said}");
    inside.well("until_is inactive show ActiveState; [ ! -e $HOME/.config/systemd/user/$unit ]");
    assert_eq!(inside.well("cat t/h l/f l/d/inner"), "t/ft/ft/d/inner");
}
