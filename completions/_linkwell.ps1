
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'linkwell' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'linkwell'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'linkwell' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every link under some folders, with its health')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge every link under some folders and print what needs a person')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Explain where a path leads, hop by hop')
            [CompletionResult]::new('refs', 'refs', [CompletionResultType]::ParameterValue, 'Find the links that lead to or into a path, before it is moved or deleted')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make links')
            [CompletionResult]::new('ln', 'ln', [CompletionResultType]::ParameterValue, 'Make links')
            [CompletionResult]::new('retarget', 'retarget', [CompletionResultType]::ParameterValue, 'Let links lead somewhere else, or write their targets otherwise')
            [CompletionResult]::new('convert', 'convert', [CompletionResultType]::ParameterValue, 'Make a link of one kind into another kind, or into the real thing')
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Move a file or folder elsewhere, and leave a link; or bring it home')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove files, folders and links, never what links lead to')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Lead broken links to where their targets are now')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Let links on record follow what they lead to, while it moves')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show what linkwell did')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Take back what linkwell did')
            [CompletionResult]::new('recover', 'recover', [CompletionResultType]::ParameterValue, 'Finish or take back what was interrupted')
            [CompletionResult]::new('track', 'track', [CompletionResultType]::ParameterValue, 'Put links on record, with what they lead to')
            [CompletionResult]::new('untrack', 'untrack', [CompletionResultType]::ParameterValue, 'Forget what is on record of links')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show how the links on record are, and what waits for an answer')
            [CompletionResult]::new('clients', 'clients', [CompletionResultType]::ParameterValue, 'Show which sync and backup clients are here, and what they do with links')
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'Put a folder where a sync client brings it to other computers, and leave it where it is found')
            [CompletionResult]::new('unshare', 'unshare', [CompletionResultType]::ParameterValue, 'Bring a shared folder home')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write the links on record to a file for another computer')
            [CompletionResult]::new('apply', 'apply', [CompletionResultType]::ParameterValue, 'Make the links of such a file that are missing here')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'linkwell;list' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only links of these kinds')
            [CompletionResult]::new('--health', '--health', [CompletionResultType]::ParameterName, 'Only links of this health')
            [CompletionResult]::new('--note', '--note', [CompletionResultType]::ParameterName, 'Only links that bear one of these notes')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many folders to read at once; by default as many as the disk rewards')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--tracked', '--tracked', [CompletionResultType]::ParameterName, 'Only the links on record, without looking for others; all of them if no PATH is given')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'With --tracked: also who put each on record, and what is done when its target moves')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'With --tracked: also who put each on record, and what is done when its target moves')
            [CompletionResult]::new('--hard', '--hard', [CompletionResultType]::ParameterName, 'Also list files that have more than one name, grouped')
            [CompletionResult]::new('--shortcuts', '--shortcuts', [CompletionResultType]::ParameterName, 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also enter other volumes that are mounted below')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--one-file-system', '--one-file-system', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--virtual', '--virtual', [CompletionResultType]::ParameterName, 'Also look into what the kernel makes up, such as /proc and /sys')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;check' {
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many folders to read at once; by default as many as the disk rewards')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--tracked', '--tracked', [CompletionResultType]::ParameterName, 'Only the links on record, without looking for others; all of them if no PATH is given')
            [CompletionResult]::new('--shortcuts', '--shortcuts', [CompletionResultType]::ParameterName, 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Name every link of a group, not only the first')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Name every link of a group, not only the first')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also enter other volumes that are mounted below')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--one-file-system', '--one-file-system', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--virtual', '--virtual', [CompletionResultType]::ParameterName, 'Also look into what the kernel makes up, such as /proc and /sys')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;show' {
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;refs' {
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'Where to look for links; by default in the home folder and on the volume of each PATH')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many folders to read at once; by default as many as the disk rewards')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--scan', '--scan', [CompletionResultType]::ParameterName, 'Look through all folders, even if all their links are on record')
            [CompletionResult]::new('--recorded', '--recorded', [CompletionResultType]::ParameterName, 'Answer from the record, however old it is')
            [CompletionResult]::new('--shortcuts', '--shortcuts', [CompletionResultType]::ParameterName, 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also enter other volumes that are mounted below')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--one-file-system', '--one-file-system', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--virtual', '--virtual', [CompletionResultType]::ParameterName, 'Also look into what the kernel makes up, such as /proc and /sys')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;create' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Make the links in this folder')
            [CompletionResult]::new('--target-directory', '--target-directory', [CompletionResultType]::ParameterName, 'Make the links in this folder')
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Keep what stands in the way under another name')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'What simple backups end in')
            [CompletionResult]::new('--suffix', '--suffix', [CompletionResultType]::ParameterName, 'What simple backups end in')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Take LINK as the link''s own name, even if a folder stands there')
            [CompletionResult]::new('--no-target-directory', '--no-target-directory', [CompletionResultType]::ParameterName, 'Take LINK as the link''s own name, even if a folder stands there')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Make symbolic links (this is the default)')
            [CompletionResult]::new('--symbolic', '--symbolic', [CompletionResultType]::ParameterName, 'Make symbolic links (this is the default)')
            [CompletionResult]::new('--hard', '--hard', [CompletionResultType]::ParameterName, 'Make hard links: further names of the same file')
            [CompletionResult]::new('--shortcut', '--shortcut', [CompletionResultType]::ParameterName, 'Make shortcut files for the desktop (`.desktop`)')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--relative', '--relative', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--absolute', '--absolute', [CompletionResultType]::ParameterName, 'Write targets from `/`')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replace links that stand in the way; real files and folders never')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace links that stand in the way; real files and folders never')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each link that would be replaced')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each link that would be replaced')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The same as `--backup`, without a CONTROL')
            [CompletionResult]::new('--from-list', '--from-list', [CompletionResultType]::ParameterName, 'Read pairs from standard input: TARGET, NUL, LINK, NUL')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Also make links that lead nowhere, to themselves, or through too many others')
            [CompletionResult]::new('--allow-cycle', '--allow-cycle', [CompletionResultType]::ParameterName, 'Also make links to a folder that contains them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;ln' {
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Make the links in this folder')
            [CompletionResult]::new('--target-directory', '--target-directory', [CompletionResultType]::ParameterName, 'Make the links in this folder')
            [CompletionResult]::new('--backup', '--backup', [CompletionResultType]::ParameterName, 'Keep what stands in the way under another name')
            [CompletionResult]::new('-S', '-S ', [CompletionResultType]::ParameterName, 'What simple backups end in')
            [CompletionResult]::new('--suffix', '--suffix', [CompletionResultType]::ParameterName, 'What simple backups end in')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'Take LINK as the link''s own name, even if a folder stands there')
            [CompletionResult]::new('--no-target-directory', '--no-target-directory', [CompletionResultType]::ParameterName, 'Take LINK as the link''s own name, even if a folder stands there')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Make symbolic links (this is the default)')
            [CompletionResult]::new('--symbolic', '--symbolic', [CompletionResultType]::ParameterName, 'Make symbolic links (this is the default)')
            [CompletionResult]::new('--hard', '--hard', [CompletionResultType]::ParameterName, 'Make hard links: further names of the same file')
            [CompletionResult]::new('--shortcut', '--shortcut', [CompletionResultType]::ParameterName, 'Make shortcut files for the desktop (`.desktop`)')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--relative', '--relative', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--absolute', '--absolute', [CompletionResultType]::ParameterName, 'Write targets from `/`')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replace links that stand in the way; real files and folders never')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace links that stand in the way; real files and folders never')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each link that would be replaced')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each link that would be replaced')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'The same as `--backup`, without a CONTROL')
            [CompletionResult]::new('--from-list', '--from-list', [CompletionResultType]::ParameterName, 'Read pairs from standard input: TARGET, NUL, LINK, NUL')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Also make links that lead nowhere, to themselves, or through too many others')
            [CompletionResult]::new('--allow-cycle', '--allow-cycle', [CompletionResultType]::ParameterName, 'Also make links to a folder that contains them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;retarget' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Where they shall lead; with --from, what the beginning of their targets becomes')
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'All links below these folders')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Only links that lead to this path or into it, and only this part of their targets')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--relative', '--relative', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--absolute', '--absolute', [CompletionResultType]::ParameterName, 'Write targets from `/`')
            [CompletionResult]::new('--shorten', '--shorten', [CompletionResultType]::ParameterName, 'Write targets as short as they can be; they lead where they led')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also change links on other volumes that are mounted below')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each link')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each link')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Also make links that lead nowhere, to themselves, or through too many others')
            [CompletionResult]::new('--allow-cycle', '--allow-cycle', [CompletionResultType]::ParameterName, 'Also make links to a folder that contains them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;convert' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'What they become')
            [CompletionResult]::new('--of', '--of', [CompletionResultType]::ParameterName, 'For a file with several names: the name that the symbolic link shall lead to')
            [CompletionResult]::new('--revive', '--revive', [CompletionResultType]::ParameterName, 'Make symbolic links of all text files below these folders that git, Cygwin or WSL left in their place')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--relative', '--relative', [CompletionResultType]::ParameterName, 'Write targets from where each link lies (`../a/b`)')
            [CompletionResult]::new('--absolute', '--absolute', [CompletionResultType]::ParameterName, 'Write targets from `/`')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Also make links that lead nowhere, to themselves, or through too many others')
            [CompletionResult]::new('--allow-cycle', '--allow-cycle', [CompletionResultType]::ParameterName, 'Also make links to a folder that contains them')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;move' {
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'To another volume: how the copy is compared before the old one is given up')
            [CompletionResult]::new('--accept-loss', '--accept-loss', [CompletionResultType]::ParameterName, 'To another volume: go on though this cannot be kept there (may be given several times)')
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'Where to look for links that lead into it; by default in the home folder and on the volume of PATH')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--back', '--back', [CompletionResultType]::ParameterName, 'Bring home what the link PATH leads to, in place of the link')
            [CompletionResult]::new('--no-link', '--no-link', [CompletionResultType]::ParameterName, 'Leave no link at the old place')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Write the link''s target as seen from the link')
            [CompletionResult]::new('--relative', '--relative', [CompletionResultType]::ParameterName, 'Write the link''s target as seen from the link')
            [CompletionResult]::new('--absolute', '--absolute', [CompletionResultType]::ParameterName, 'Write the link''s target from `/`')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'To another volume: keep the old one aside instead of freeing it')
            [CompletionResult]::new('--rewrite-inner', '--rewrite-inner', [CompletionResultType]::ParameterName, 'Absolute links inside that lead into the old place lead straight to the new one')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Within a volume: do not look into it, which takes as long as its folders are many; relative links inside keep their texts, and those that lead out of it may lead elsewhere then')
            [CompletionResult]::new('--follow-refs', '--follow-refs', [CompletionResultType]::ParameterName, 'Links elsewhere that lead into it lead straight to the new place')
            [CompletionResult]::new('--no-refs', '--no-refs', [CompletionResultType]::ParameterName, 'Do not look for links that lead into it')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Go on though links would be left broken')
            [CompletionResult]::new('--merge', '--merge', [CompletionResultType]::ParameterName, 'DEST is there already: make the two one. What both have and is the same stays once; what differs is kept twice, as `name (from PATH)`')
            [CompletionResult]::new('--free', '--free', [CompletionResultType]::ParameterName, 'With `--merge`: give up in the old place what stands at DEST by then, instead of keeping it aside')
            [CompletionResult]::new('--set-known-folder', '--set-known-folder', [CompletionResultType]::ParameterName, 'Of Music, Documents, Pictures, Videos, Downloads or Desktop: tell the desktop of the new place, too')
            [CompletionResult]::new('--synced-anyway', '--synced-anyway', [CompletionResultType]::ParameterName, 'Move it though a sync client syncs it, or the folder that it lies in')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;remove' {
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'Where to look for links that would be left broken; by default in the home folder and on the volume of each PATH')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--forever', '--forever', [CompletionResultType]::ParameterName, 'Free it at once instead of moving it into the trash')
            [CompletionResult]::new('--no-refs', '--no-refs', [CompletionResultType]::ParameterName, 'Do not look for links that would be left broken')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;repair' {
            [CompletionResult]::new('--search', '--search', [CompletionResultType]::ParameterName, 'Also look for what is lost below this folder, such as a share; all local volumes are searched anyway')
            [CompletionResult]::new('--replaced', '--replaced', [CompletionResultType]::ParameterName, 'What becomes of files that a program saved over a tracked link')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--certain', '--certain', [CompletionResultType]::ParameterName, 'Mend only what is certain, and ask nothing')
            [CompletionResult]::new('--likely', '--likely', [CompletionResultType]::ParameterName, 'Also mend what is only likely: what looks the same, and is the only one that does')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Ask for each link, with all candidates')
            [CompletionResult]::new('--interactive', '--interactive', [CompletionResultType]::ParameterName, 'Ask for each link, with all candidates')
            [CompletionResult]::new('--near', '--near', [CompletionResultType]::ParameterName, 'Look for what is lost only below the nearest folder that is still there, and below `--search`')
            [CompletionResult]::new('--delete', '--delete', [CompletionResultType]::ParameterName, 'Remove links whose targets were found nowhere that was searched; never those whose volume is away, or that could not be judged')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also look for broken links on other volumes that are mounted below')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;watch' {
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'How long a name may be away, in thousandths of a second, before its link follows')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--install', '--install', [CompletionResultType]::ParameterName, 'Let the system run it whenever you are logged in')
            [CompletionResult]::new('--uninstall', '--uninstall', [CompletionResultType]::ParameterName, 'Take that back')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Say whether it runs')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'With --install or --uninstall: only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'With --install or --uninstall: only show what would be done')
            [CompletionResult]::new('--once', '--once', [CompletionResultType]::ParameterName, 'Look at everything on record once, and end')
            [CompletionResult]::new('--whole-volumes', '--whole-volumes', [CompletionResultType]::ParameterName, 'As root: one mark for each volume, instead of one for each folder')
            [CompletionResult]::new('--no-notifications', '--no-notifications', [CompletionResultType]::ParameterName, 'Show nothing on the desktop')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;log' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;undo' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;recover' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--back', '--back', [CompletionResultType]::ParameterName, 'Take it back, also where it could go on: what was copied by then is removed')
            [CompletionResult]::new('--forward', '--forward', [CompletionResultType]::ParameterName, 'Go on with it, also where it would be taken back')
            [CompletionResult]::new('--leave', '--leave', [CompletionResultType]::ParameterName, 'Leave everything as it is now, and only close the record')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;track' {
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'What the watcher does when a target has moved: the link follows when it is certain where to (this is the default), a person is asked, or nothing is done')
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'How many folders to read at once; by default as many as the disk rewards')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--cross-volumes', '--cross-volumes', [CompletionResultType]::ParameterName, 'Also enter other volumes that are mounted below')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--one-file-system', '--one-file-system', [CompletionResultType]::ParameterName, 'Stay on the volume of each PATH (this is the default)')
            [CompletionResult]::new('--virtual', '--virtual', [CompletionResultType]::ParameterName, 'Also look into what the kernel makes up, such as /proc and /sys')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;untrack' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-0', '-0', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('--null', '--null', [CompletionResultType]::ParameterName, 'Print only the paths, exactly, each ended by a NUL byte')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;status' {
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;clients' {
            [CompletionResult]::new('--time-limit', '--time-limit', [CompletionResultType]::ParameterName, 'How long a remote volume may take to answer')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Every client that is known, whether it is on this computer or not')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Everything that is known of each, and whose word it is')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Everything that is known of each, and whose word it is')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;share' {
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'With this client: its name, as `linkwell clients` has it')
            [CompletionResult]::new('--into', '--into', [CompletionResultType]::ParameterName, 'Into this folder, which is synced')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'What it is called there; by default as it is called here')
            [CompletionResult]::new('--by', '--by', [CompletionResultType]::ParameterName, 'How it is arranged; by default what is best with this client')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'With this computer alone, by the name that the client has for it; more than once for several')
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'Look for links that lead into it below this folder; more than once for several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--synced-anyway', '--synced-anyway', [CompletionResultType]::ParameterName, 'Also if a client may be syncing it where it is now, and would delete the other side''s copy')
            [CompletionResult]::new('--list', '--list', [CompletionResultType]::ParameterName, 'Show what is shared')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Look whether all that was shared still is; the exit status is 1 if something is not')
            [CompletionResult]::new('--follow-refs', '--follow-refs', [CompletionResultType]::ParameterName, 'Let links elsewhere that lead into it lead straight to its new place')
            [CompletionResult]::new('--no-refs', '--no-refs', [CompletionResultType]::ParameterName, 'Do not look for links that lead into it')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;unshare' {
            [CompletionResult]::new('--under', '--under', [CompletionResultType]::ParameterName, 'Look for links that lead into it below this folder; more than once for several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--follow-refs', '--follow-refs', [CompletionResultType]::ParameterName, 'Let links elsewhere that lead into it lead straight to its new place')
            [CompletionResult]::new('--no-refs', '--no-refs', [CompletionResultType]::ParameterName, 'Do not look for links that lead into it')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;export' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;apply' {
            [CompletionResult]::new('--from-stow', '--from-stow', [CompletionResultType]::ParameterName, 'Make the links that GNU Stow would make of the packages in this folder')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'With --from-stow: where the links go, by default into the folder above DIR')
            [CompletionResult]::new('--from-dotbot', '--from-dotbot', [CompletionResultType]::ParameterName, 'Make the links of this configuration of dotbot. Nothing in it is run')
            [CompletionResult]::new('--volume', '--volume', [CompletionResultType]::ParameterName, 'Where a volume of the file is attached here')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'Where a client of the file syncs here, if its configuration does not tell')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--no-folding', '--no-folding', [CompletionResultType]::ParameterName, 'With --from-stow: links to files alone, in real folders')
            [CompletionResult]::new('--dotfiles', '--dotfiles', [CompletionResultType]::ParameterName, 'With --from-stow: what is called `dot-NAME` is wanted as `.NAME`')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Only say whether all links are as the file has them; the exit status is 1 if they are not')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replace links that lead elsewhere; real files and folders never')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace links that lead elsewhere; real files and folders never')
            [CompletionResult]::new('--merge', '--merge', [CompletionResultType]::ParameterName, 'Where a real folder or file stands in the place of a link, make it one with what the link leads to: what is the same folds, what differs is kept beside')
            [CompletionResult]::new('--allow-broken', '--allow-broken', [CompletionResultType]::ParameterName, 'Also make links that lead to nothing here')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Only show what would be done')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do it without asking')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Show every item, however many there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object a line (documented in docs/json.md)')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print results only: no hints, no progress')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'linkwell;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every link under some folders, with its health')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge every link under some folders and print what needs a person')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Explain where a path leads, hop by hop')
            [CompletionResult]::new('refs', 'refs', [CompletionResultType]::ParameterValue, 'Find the links that lead to or into a path, before it is moved or deleted')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make links')
            [CompletionResult]::new('retarget', 'retarget', [CompletionResultType]::ParameterValue, 'Let links lead somewhere else, or write their targets otherwise')
            [CompletionResult]::new('convert', 'convert', [CompletionResultType]::ParameterValue, 'Make a link of one kind into another kind, or into the real thing')
            [CompletionResult]::new('move', 'move', [CompletionResultType]::ParameterValue, 'Move a file or folder elsewhere, and leave a link; or bring it home')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove files, folders and links, never what links lead to')
            [CompletionResult]::new('repair', 'repair', [CompletionResultType]::ParameterValue, 'Lead broken links to where their targets are now')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Let links on record follow what they lead to, while it moves')
            [CompletionResult]::new('log', 'log', [CompletionResultType]::ParameterValue, 'Show what linkwell did')
            [CompletionResult]::new('undo', 'undo', [CompletionResultType]::ParameterValue, 'Take back what linkwell did')
            [CompletionResult]::new('recover', 'recover', [CompletionResultType]::ParameterValue, 'Finish or take back what was interrupted')
            [CompletionResult]::new('track', 'track', [CompletionResultType]::ParameterValue, 'Put links on record, with what they lead to')
            [CompletionResult]::new('untrack', 'untrack', [CompletionResultType]::ParameterValue, 'Forget what is on record of links')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show how the links on record are, and what waits for an answer')
            [CompletionResult]::new('clients', 'clients', [CompletionResultType]::ParameterValue, 'Show which sync and backup clients are here, and what they do with links')
            [CompletionResult]::new('share', 'share', [CompletionResultType]::ParameterValue, 'Put a folder where a sync client brings it to other computers, and leave it where it is found')
            [CompletionResult]::new('unshare', 'unshare', [CompletionResultType]::ParameterValue, 'Bring a shared folder home')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write the links on record to a file for another computer')
            [CompletionResult]::new('apply', 'apply', [CompletionResultType]::ParameterValue, 'Make the links of such a file that are missing here')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'linkwell;help;list' {
            break
        }
        'linkwell;help;check' {
            break
        }
        'linkwell;help;show' {
            break
        }
        'linkwell;help;refs' {
            break
        }
        'linkwell;help;create' {
            break
        }
        'linkwell;help;retarget' {
            break
        }
        'linkwell;help;convert' {
            break
        }
        'linkwell;help;move' {
            break
        }
        'linkwell;help;remove' {
            break
        }
        'linkwell;help;repair' {
            break
        }
        'linkwell;help;watch' {
            break
        }
        'linkwell;help;log' {
            break
        }
        'linkwell;help;undo' {
            break
        }
        'linkwell;help;recover' {
            break
        }
        'linkwell;help;track' {
            break
        }
        'linkwell;help;untrack' {
            break
        }
        'linkwell;help;status' {
            break
        }
        'linkwell;help;clients' {
            break
        }
        'linkwell;help;share' {
            break
        }
        'linkwell;help;unshare' {
            break
        }
        'linkwell;help;export' {
            break
        }
        'linkwell;help;apply' {
            break
        }
        'linkwell;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
