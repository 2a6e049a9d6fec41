
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
        'linkwell;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List every link under some folders, with its health')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Judge every link under some folders and print what needs a person')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Explain where a path leads, hop by hop')
            [CompletionResult]::new('refs', 'refs', [CompletionResultType]::ParameterValue, 'Find the links that lead to or into a path, before it is moved or deleted')
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
        'linkwell;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
