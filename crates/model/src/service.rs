//! What lets a system run the watcher whenever somebody is logged in: a unit for systemd, an agent for
//! launchd, a task for Windows. As text; putting it in place is somebody else's.

/// How the watcher is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The program, as an absolute path.
    pub program: Vec<u8>,
    /// Its arguments.
    pub arguments: Vec<Vec<u8>>,
    /// Variables of its environment.
    pub environment: Vec<(String, Vec<u8>)>,
}

/// What stands in the first line of all of them: by this linkwell knows its own.
pub const MARK: &str = "Written by linkwell";

/// A unit for systemd's manager of a user's services.
///
/// What it may do is narrowed by filters of system calls alone. What systemd offers beside that
/// (`ProtectSystem`, `PrivateTmp` and their like) gives a user's service a user namespace of its own, in
/// which root is nobody: then who owns a folder cannot be told any more, and that is what linkwell's own
/// guards rely on.
pub fn systemd(service: &Service) -> String {
    let mut command = Vec::new();
    if service.program.iter().any(|byte| b"\"'\\".contains(byte) || !(b' '..=b'~').contains(byte)) {
        // systemd takes no such name for a program, quoted or not; as an argument it does.
        command.push("/bin/sh -c".to_owned());
        command.push(systemd_word(b"exec \"$0\" \"$@\"", true));
        command.push(systemd_word(&service.program, true));
    } else {
        command.push(systemd_word(&service.program, false));
    }
    command.extend(service.arguments.iter().map(|word| systemd_word(word, true)));
    let environment: String = service
        .environment
        .iter()
        .map(|(name, value)| {
            let pair = [name.as_bytes(), b"=", value].concat();
            format!("Environment={}\n", systemd_word(&pair, false))
        })
        .collect();
    // The helper that opens handles for who is not root takes a user and a mount namespace of its own, and its
    // one call is not among those of services (`systemd-analyze syscall-filter`).
    format!(
        "# {MARK}: `linkwell watch --uninstall` removes it.\n\
         [Unit]\n\
         Description=Links follow what they lead to (linkwell)\n\
         \n\
         [Service]\n\
         Type=notify\n\
         ExecStart={}\n\
         ExecReload=kill -HUP $MAINPID\n\
         {environment}\
         Restart=on-failure\n\
         RestartSec=5\n\
         WatchdogSec=120\n\
         Nice=5\n\
         UMask=0077\n\
         NoNewPrivileges=yes\n\
         LockPersonality=yes\n\
         MemoryDenyWriteExecute=yes\n\
         RestrictAddressFamilies=AF_UNIX\n\
         RestrictNamespaces=user mnt\n\
         RestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\n\
         SystemCallArchitectures=native\n\
         SystemCallFilter=@system-service open_by_handle_at\n\
         SystemCallErrorNumber=EPERM\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        command.join(" ")
    )
}

/// One word of a unit, quoted (systemd.syntax(7)): `%` begins a specifier, and in arguments `$` a variable.
fn systemd_word(word: &[u8], is_argument: bool) -> String {
    let mut quoted = String::from("\"");
    for byte in word {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'%' => quoted.push_str("%%"),
            b'$' if is_argument => quoted.push_str("$$"),
            b' '..=b'~' => quoted.push(char::from(*byte)),
            byte => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// An agent for launchd (macOS), as a property list. Bytes that are no text cannot be written there.
pub fn launchd(service: &Service) -> String {
    let words = std::iter::once(&service.program).chain(&service.arguments);
    let words: String =
        words.map(|word| format!("        <string>{}</string>\n", xml(word))).collect();
    let environment: String = service
        .environment
        .iter()
        .map(|(name, value)| {
            format!(
                "        <key>{}</key>\n        <string>{}</string>\n",
                xml(name.as_bytes()),
                xml(value)
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!-- {MARK}: `linkwell watch -(-uninstall)` removes it. -->\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n    <key>Label</key>\n    <string>linkwell.watch</string>\n    \
         <key>ProgramArguments</key>\n    <array>\n{words}    </array>\n    \
         <key>EnvironmentVariables</key>\n    <dict>\n{environment}    </dict>\n    \
         <key>RunAtLoad</key>\n    <true/>\n    <key>KeepAlive</key>\n    <dict>\n        \
         <key>SuccessfulExit</key>\n        <false/>\n    </dict>\n    \
         <key>ProcessType</key>\n    <string>Background</string>\n</dict>\n</plist>\n"
    )
    .replace("-(-uninstall)", "&#45;&#45;uninstall")
}

/// A task for Windows that runs at logon, with the user's own rights.
pub fn windows(service: &Service) -> String {
    let arguments: Vec<String> =
        service.arguments.iter().map(|word| xml(windows_word(word).as_bytes())).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n\
         <Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\n  \
         <RegistrationInfo>\n    <Description>{MARK}</Description>\n  </RegistrationInfo>\n  \
         <Triggers>\n    <LogonTrigger>\n      <Enabled>true</Enabled>\n    </LogonTrigger>\n  </Triggers>\n  \
         <Principals>\n    <Principal>\n      <LogonType>InteractiveToken</LogonType>\n      \
         <RunLevel>LeastPrivilege</RunLevel>\n    </Principal>\n  </Principals>\n  \
         <Settings>\n    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\n    \
         <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>\n    \
         <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>\n    \
         <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>\n    \
         <RestartOnFailure>\n      <Interval>PT1M</Interval>\n      <Count>3</Count>\n    </RestartOnFailure>\n  \
         </Settings>\n  <Actions>\n    <Exec>\n      <Command>{}</Command>\n      \
         <Arguments>{}</Arguments>\n    </Exec>\n  </Actions>\n</Task>\n",
        xml(&service.program),
        arguments.join(" ")
    )
}

/// One argument as the parser of most programs for Windows takes it apart again.
fn windows_word(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    let plain = |character: char| !character.is_whitespace() && character != '"';
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    let mut quoted = String::from("\"");
    let mut slashes = 0;
    for character in text.chars() {
        match character {
            '\\' => slashes += 1,
            '"' => {
                quoted.push_str(&"\\".repeat(slashes * 2 + 1));
                slashes = 0;
                quoted.push('"');
                continue;
            }
            _ => {
                quoted.push_str(&"\\".repeat(slashes));
                slashes = 0;
                quoted.push(character);
                continue;
            }
        }
    }
    quoted.push_str(&"\\".repeat(slashes * 2));
    quoted.push('"');
    quoted
}

fn xml(bytes: &[u8]) -> String {
    let mut escaped = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Service {
        Service {
            program: b"/opt/100% mine/\"link\\well$\"".to_vec(),
            arguments: vec![b"watch".to_vec(), b"--a=$b %h\n\xff<&".to_vec()],
            environment: vec![("XDG_STATE_HOME".into(), b"/home/a b/50%".to_vec())],
        }
    }

    #[test]
    fn a_unit_has_no_specifier_variable_or_line_of_somebody_elses() {
        let unit = systemd(&service());
        let has = |line: &str| assert!(unit.lines().any(|found| found == line), "{line}\n{unit}");
        has(
            r#"ExecStart=/bin/sh -c "exec \"$$0\" \"$$@\"" "/opt/100%% mine/\"link\\well$$\"" "watch" "--a=$$b %%h\x0a\xff<&""#,
        );
        let plain = Service { program: b"/opt/a b/50%/$x".to_vec(), ..service() };
        assert!(systemd(&plain).contains("ExecStart=\"/opt/a b/50%%/$x\" \"watch\""));
        has(r#"Environment="XDG_STATE_HOME=/home/a b/50%%""#);
        has("Type=notify");
        has("NoNewPrivileges=yes");
        assert!(unit.starts_with(&format!("# {MARK}")));
    }

    #[test]
    fn an_agent_is_well_formed_whatever_the_names_are() {
        let agent = launchd(&service());
        assert!(agent.contains("<string>--a=$b %h&#10;\u{fffd}&lt;&amp;</string>"), "{agent}");
        assert!(agent.contains(MARK));
        // Two hyphens end a comment.
        let comment = agent.split("<!--").nth(1).and_then(|rest| rest.split("-->").next());
        assert!(comment.is_some_and(|comment| !comment.contains("--")), "{comment:?}");
    }

    #[test]
    fn a_task_quotes_what_windows_takes_apart() {
        assert_eq!(windows_word(b"plain"), "plain");
        assert_eq!(windows_word(br#"a b\"#), r#""a b\\""#);
        assert_eq!(windows_word(br#"a\"b"#), r#""a\\\"b""#);
        assert_eq!(windows_word(b""), r#""""#);
        let task = windows(&service());
        assert!(
            task.contains("<Command>/opt/100% mine/&quot;link\\well$&quot;</Command>"),
            "{task}"
        );
    }
}
