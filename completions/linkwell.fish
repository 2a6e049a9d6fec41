# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_linkwell_global_optspecs
    string join \n color= q/quiet h/help V/version
end

function __fish_linkwell_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_linkwell_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_linkwell_using_subcommand
    set -l cmd (__fish_linkwell_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c linkwell -n "__fish_linkwell_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_needs_command" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_needs_command" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "list" -d 'List every link under some folders, with its health'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "check" -d 'Judge every link under some folders and print what needs a person'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "show" -d 'Explain where a path leads, hop by hop'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "refs" -d 'Find the links that lead to or into a path, before it is moved or deleted'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "create" -d 'Make links'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "ln" -d 'Make links'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "retarget" -d 'Let links lead somewhere else, or write their targets otherwise'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "convert" -d 'Make a link of one kind into another kind, or into the real thing'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "move" -d 'Move a file or folder elsewhere, and leave a link; or bring it home'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "remove" -d 'Remove files, folders and links, never what links lead to'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "repair" -d 'Lead broken links to where their targets are now'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "watch" -d 'Let links on record follow what they lead to, while it moves'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "log" -d 'Show what linkwell did'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "undo" -d 'Take back what linkwell did'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "recover" -d 'Finish or take back what was interrupted'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "track" -d 'Put links on record, with what they lead to'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "untrack" -d 'Forget what is on record of links'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "status" -d 'Show how the links on record are, and what waits for an answer'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "clients" -d 'Show which sync and backup clients are here, and what they do with links'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "share" -d 'Put a folder where a sync client brings it to other computers, and leave it where it is found'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "unshare" -d 'Bring a shared folder home'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "export" -d 'Write the links on record to a file for another computer'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "apply" -d 'Make the links of such a file that are missing here'
complete -c linkwell -n "__fish_linkwell_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l kind -d 'Only links of these kinds' -r -f -a "symlink\t''
hardlink\t''
bind\t''
shortcut\t''
stub\t''
junction\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l health -d 'Only links of this health' -r -f -a "ok\t''
broken\t''
asleep\t''
loop\t''
denied\t''
not_a_directory\t''
unknown\t''
replaced\t''
retargeted\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l note -d 'Only links that bear one of these notes' -r -f -a "absolute\t''
lengthy\t''
chained\t''
outer\t''
cycle\t''
doubled\t''
crosses_volume\t''
too_deep\t''
web\t''
foreign\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l threads -d 'How many folders to read at once; by default as many as the disk rewards' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l tracked -d 'Only the links on record, without looking for others; all of them if no PATH is given'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s v -l verbose -d 'With --tracked: also who put each on record, and what is done when its target moves'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l hard -d 'Also list files that have more than one name, grouped'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l shortcuts -d 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s 0 -l null -d 'Print only the paths, exactly, each ended by a NUL byte'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l cross-volumes -d 'Also enter other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s x -l one-file-system -d 'Stay on the volume of each PATH (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -l virtual -d 'Also look into what the kernel makes up, such as /proc and /sys'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand list" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l threads -d 'How many folders to read at once; by default as many as the disk rewards' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l tracked -d 'Only the links on record, without looking for others; all of them if no PATH is given'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l shortcuts -d 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s v -l verbose -d 'Name every link of a group, not only the first'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s 0 -l null -d 'Print only the paths, exactly, each ended by a NUL byte'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l cross-volumes -d 'Also enter other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s x -l one-file-system -d 'Stay on the volume of each PATH (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -l virtual -d 'Also look into what the kernel makes up, such as /proc and /sys'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand check" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand show" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l under -d 'Where to look for links; by default in the home folder and on the volume of each PATH' -r -F
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l threads -d 'How many folders to read at once; by default as many as the disk rewards' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l scan -d 'Look through all folders, even if all their links are on record'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l recorded -d 'Answer from the record, however old it is'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l shortcuts -d 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s 0 -l null -d 'Print only the paths, exactly, each ended by a NUL byte'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l cross-volumes -d 'Also enter other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s x -l one-file-system -d 'Stay on the volume of each PATH (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l virtual -d 'Also look into what the kernel makes up, such as /proc and /sys'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s t -l target-directory -d 'Make the links in this folder' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l backup -d 'Keep what stands in the way under another name' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s S -l suffix -d 'What simple backups end in' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s T -l no-target-directory -d 'Take LINK as the link\'s own name, even if a folder stands there'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s s -l symbolic -d 'Make symbolic links (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l hard -d 'Make hard links: further names of the same file'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l shortcut -d 'Make shortcut files for the desktop (`.desktop`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s r -l relative -d 'Write targets from where each link lies (`../a/b`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l absolute -d 'Write targets from `/`'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s f -l force -d 'Replace links that stand in the way; real files and folders never'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s i -l interactive -d 'Ask for each link that would be replaced'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s b -d 'The same as `--backup`, without a CONTROL'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l from-list -d 'Read pairs from standard input: TARGET, NUL, LINK, NUL'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l allow-broken -d 'Also make links that lead nowhere, to themselves, or through too many others'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l allow-cycle -d 'Also make links to a folder that contains them'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand create" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s t -l target-directory -d 'Make the links in this folder' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l backup -d 'Keep what stands in the way under another name' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s S -l suffix -d 'What simple backups end in' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s T -l no-target-directory -d 'Take LINK as the link\'s own name, even if a folder stands there'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s s -l symbolic -d 'Make symbolic links (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l hard -d 'Make hard links: further names of the same file'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l shortcut -d 'Make shortcut files for the desktop (`.desktop`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s r -l relative -d 'Write targets from where each link lies (`../a/b`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l absolute -d 'Write targets from `/`'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s f -l force -d 'Replace links that stand in the way; real files and folders never'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s i -l interactive -d 'Ask for each link that would be replaced'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s b -d 'The same as `--backup`, without a CONTROL'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l from-list -d 'Read pairs from standard input: TARGET, NUL, LINK, NUL'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l allow-broken -d 'Also make links that lead nowhere, to themselves, or through too many others'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l allow-cycle -d 'Also make links to a folder that contains them'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand ln" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l to -d 'Where they shall lead; with --from, what the beginning of their targets becomes' -r -F
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l under -d 'All links below these folders' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l from -d 'Only links that lead to this path or into it, and only this part of their targets' -r -F
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s r -l relative -d 'Write targets from where each link lies (`../a/b`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l absolute -d 'Write targets from `/`'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l shorten -d 'Write targets as short as they can be; they lead where they led'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l cross-volumes -d 'Also change links on other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s i -l interactive -d 'Ask for each link'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l allow-broken -d 'Also make links that lead nowhere, to themselves, or through too many others'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l allow-cycle -d 'Also make links to a folder that contains them'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand retarget" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l to -d 'What they become' -r -f -a "symlink\t'A symbolic link to the same place'
hard\t'Another name of the file it leads to'
contents\t'A copy of what it leads to'
shortcut\t'A shortcut file for the desktop'"
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l of -d 'For a file with several names: the name that the symbolic link shall lead to' -r -F
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l revive -d 'Make symbolic links of all text files below these folders that git, Cygwin or WSL left in their place' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s r -l relative -d 'Write targets from where each link lies (`../a/b`)'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l absolute -d 'Write targets from `/`'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s i -l interactive -d 'Ask for each'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l allow-broken -d 'Also make links that lead nowhere, to themselves, or through too many others'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l allow-cycle -d 'Also make links to a folder that contains them'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand convert" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l verify -d 'To another volume: how the copy is compared before the old one is given up' -r -f -a "full\t'By contents: the copy is read back from its disk'
sizes\t'By sizes, times, owners and permissions'"
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l accept-loss -d 'To another volume: go on though this cannot be kept there (may be given several times)' -r -f -a "owner\t''
mode\t''
times\t''
attributes\t''
access-lists\t''
capabilities\t''
flags\t''
project\t''
hard-links\t''
holes\t''
preallocation\t''
sharing\t''
special\t''
links\t''
names\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l under -d 'Where to look for links that lead into it; by default in the home folder and on the volume of PATH' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l back -d 'Bring home what the link PATH leads to, in place of the link'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l no-link -d 'Leave no link at the old place'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s r -l relative -d 'Write the link\'s target as seen from the link'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l absolute -d 'Write the link\'s target from `/`'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l keep -d 'To another volume: keep the old one aside instead of freeing it'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l rewrite-inner -d 'Absolute links inside that lead into the old place lead straight to the new one'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l as-is -d 'Within a volume: do not look into it, which takes as long as its folders are many; relative links inside keep their texts, and those that lead out of it may lead elsewhere then'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l follow-refs -d 'Links elsewhere that lead into it lead straight to the new place'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l no-refs -d 'Do not look for links that lead into it'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l allow-broken -d 'Go on though links would be left broken'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l merge -d 'DEST is there already: make the two one. What both have and is the same stays once; what differs is kept twice, as `name (from PATH)`'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l free -d 'With `--merge`: give up in the old place what stands at DEST by then, instead of keeping it aside'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l set-known-folder -d 'Of Music, Documents, Pictures, Videos, Downloads or Desktop: tell the desktop of the new place, too'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l synced-anyway -d 'Move it though a sync client syncs it, or the folder that it lies in'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand move" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -l under -d 'Where to look for links that would be left broken; by default in the home folder and on the volume of each PATH' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -l forever -d 'Free it at once instead of moving it into the trash'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -l no-refs -d 'Do not look for links that would be left broken'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s i -l interactive -d 'Ask for each'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand remove" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l search -d 'Also look for what is lost below this folder, such as a share; all local volumes are searched anyway' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l replaced -d 'What becomes of files that a program saved over a tracked link' -r -f -a "target\t'It goes to where the link led, and the link comes back; what was there is kept beside it'
both\t'The link comes back, and the file is kept beside it'
forget\t'The file stays, and the link is forgotten'"
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l certain -d 'Mend only what is certain, and ask nothing'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l likely -d 'Also mend what is only likely: what looks the same, and is the only one that does'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s i -l interactive -d 'Ask for each link, with all candidates'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l near -d 'Look for what is lost only below the nearest folder that is still there, and below `--search`'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l delete -d 'Remove links whose targets were found nowhere that was searched; never those whose volume is away, or that could not be judged'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l cross-volumes -d 'Also look for broken links on other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand repair" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l grace -d 'How long a name may be away, in thousandths of a second, before its link follows' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l install -d 'Let the system run it whenever you are logged in'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l uninstall -d 'Take that back'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l status -d 'Say whether it runs'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -s n -l dry-run -d 'With --install or --uninstall: only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l once -d 'Look at everything on record once, and end'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l whole-volumes -d 'As root: one mark for each volume, instead of one for each folder'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l no-notifications -d 'Show nothing on the desktop'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand watch" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand log" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand log" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand log" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand log" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand undo" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -l back -d 'Take it back, also where it could go on: what was copied by then is removed'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -l forward -d 'Go on with it, also where it would be taken back'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -l leave -d 'Leave everything as it is now, and only close the record'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand recover" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l policy -d 'What the watcher does when a target has moved: the link follows when it is certain where to (this is the default), a person is asked, or nothing is done' -r -f -a "follow\t''
ask\t''
leave\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l threads -d 'How many folders to read at once; by default as many as the disk rewards' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l cross-volumes -d 'Also enter other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -s x -l one-file-system -d 'Stay on the volume of each PATH (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l virtual -d 'Also look into what the kernel makes up, such as /proc and /sys'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand track" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -s 0 -l null -d 'Print only the paths, exactly, each ended by a NUL byte'
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand untrack" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -l json -d 'Print one JSON object (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand status" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -l time-limit -d 'How long a remote volume may take to answer' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -l all -d 'Every client that is known, whether it is on this computer or not'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -s v -l verbose -d 'Everything that is known of each, and whose word it is'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand clients" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l with -d 'With this client: its name, as `linkwell clients` has it' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l into -d 'Into this folder, which is synced' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l as -d 'What it is called there; by default as it is called here' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l by -d 'How it is arranged; by default what is best with this client' -r -f -a "native\t''
inverted\t''
bind\t''
follow\t''
mirror\t''"
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l to -d 'With this computer alone, by the name that the client has for it; more than once for several' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l under -d 'Look for links that lead into it below this folder; more than once for several' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l synced-anyway -d 'Also if a client may be syncing it where it is now, and would delete the other side\'s copy'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l list -d 'Show what is shared'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l check -d 'Look whether all that was shared still is; the exit status is 1 if something is not'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l follow-refs -d 'Let links elsewhere that lead into it lead straight to its new place'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l no-refs -d 'Do not look for links that lead into it'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand share" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -l under -d 'Look for links that lead into it below this folder; more than once for several' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -l follow-refs -d 'Let links elsewhere that lead into it lead straight to its new place'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -l no-refs -d 'Do not look for links that lead into it'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand unshare" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand export" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand export" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand export" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l from-stow -d 'Make the links that GNU Stow would make of the packages in this folder' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l target -d 'With --from-stow: where the links go, by default into the folder above DIR' -r -f -a "(__fish_complete_directories)"
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l from-dotbot -d 'Make the links of this configuration of dotbot. Nothing in it is run' -r -F
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l volume -d 'Where a volume of the file is attached here' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l root -d 'Where a client of the file syncs here, if its configuration does not tell' -r
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal that wants it (NO_COLOR and CLICOLOR are heeded)'
always\t'Always'
never\t'Never'"
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l no-folding -d 'With --from-stow: links to files alone, in real folders'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l dotfiles -d 'With --from-stow: what is called `dot-NAME` is wanted as `.NAME`'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l check -d 'Only say whether all links are as the file has them; the exit status is 1 if they are not'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s f -l force -d 'Replace links that lead elsewhere; real files and folders never'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l merge -d 'Where a real folder or file stands in the place of a link, make it one with what the link leads to: what is the same folds, what differs is kept beside'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l allow-broken -d 'Also make links that lead to nothing here'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s n -l dry-run -d 'Only show what would be done'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s y -l yes -d 'Do it without asking'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s v -l verbose -d 'Show every item, however many there are'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand apply" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "list" -d 'List every link under some folders, with its health'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "check" -d 'Judge every link under some folders and print what needs a person'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "show" -d 'Explain where a path leads, hop by hop'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "refs" -d 'Find the links that lead to or into a path, before it is moved or deleted'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "create" -d 'Make links'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "retarget" -d 'Let links lead somewhere else, or write their targets otherwise'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "convert" -d 'Make a link of one kind into another kind, or into the real thing'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "move" -d 'Move a file or folder elsewhere, and leave a link; or bring it home'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "remove" -d 'Remove files, folders and links, never what links lead to'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "repair" -d 'Lead broken links to where their targets are now'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "watch" -d 'Let links on record follow what they lead to, while it moves'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "log" -d 'Show what linkwell did'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "undo" -d 'Take back what linkwell did'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "recover" -d 'Finish or take back what was interrupted'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "track" -d 'Put links on record, with what they lead to'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "untrack" -d 'Forget what is on record of links'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "status" -d 'Show how the links on record are, and what waits for an answer'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "clients" -d 'Show which sync and backup clients are here, and what they do with links'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "share" -d 'Put a folder where a sync client brings it to other computers, and leave it where it is found'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "unshare" -d 'Bring a shared folder home'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "export" -d 'Write the links on record to a file for another computer'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "apply" -d 'Make the links of such a file that are missing here'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs create retarget convert move remove repair watch log undo recover track untrack status clients share unshare export apply help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
