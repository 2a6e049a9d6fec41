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
unknown\t''"
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
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l shortcuts -d 'Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l json -d 'Print one JSON object a line (documented in docs/json.md)'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s 0 -l null -d 'Print only the paths, exactly, each ended by a NUL byte'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l cross-volumes -d 'Also enter other volumes that are mounted below'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s x -l one-file-system -d 'Stay on the volume of each PATH (this is the default)'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -l virtual -d 'Also look into what the kernel makes up, such as /proc and /sys'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s q -l quiet -d 'Print results only: no hints, no progress'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c linkwell -n "__fish_linkwell_using_subcommand refs" -s V -l version -d 'Print version'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs help" -f -a "list" -d 'List every link under some folders, with its health'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs help" -f -a "check" -d 'Judge every link under some folders and print what needs a person'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs help" -f -a "show" -d 'Explain where a path leads, hop by hop'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs help" -f -a "refs" -d 'Find the links that lead to or into a path, before it is moved or deleted'
complete -c linkwell -n "__fish_linkwell_using_subcommand help; and not __fish_seen_subcommand_from list check show refs help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
