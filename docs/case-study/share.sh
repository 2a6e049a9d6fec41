#!/usr/bin/env bash
# The case study of docs/case-study/share.md: a folder that lives elsewhere is shared with another computer by
# Syncthing, in one command; an edit comes back, the folder is renamed, and in the end all is as it was.
#
#   docs/case-study/share.sh > docs/case-study/share.md
#
# Needs `syncthing` (1.19 or later) and `linkwell` on the PATH, or the program in LINKWELL. Two Syncthings are two
# computers here: each has a home of its own in a new temporary folder, and they speak to nobody but each other.
# Ends with a status that is not 0 where anything is not as the text says. Everything is removed in the end.
set -euo pipefail

linkwell=${LINKWELL:-$(command -v linkwell)}
ground=$(mktemp -d)
started=()

finish() {
    local process
    for process in "${started[@]}"; do
        kill "$process" 2> /dev/null || true
        wait "$process" 2> /dev/null || true
    done
    rm -rf "$ground"
}
trap finish EXIT

ada=$ground/home/ada
laptop=$ground/laptop
mkdir -p "$ada/Sync" "$ground/disk/Photos/2025" "$ground/disk/Photos/2026" "$laptop/Sync"
export HOME=$ada XDG_CONFIG_HOME=$ada/.config XDG_STATE_HOME=$ada/.local/state XDG_DATA_HOME=$ada/.local/share
export XDG_CACHE_HOME=$ada/.cache STNOUPGRADE=1
unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS

# A path as the reader shall see it.
plain() {
    sed -e "s|$ada|~|g" -e "s|$ground||g"
}

say() {
    printf '\n%s\n' "$*"
}

# Shows a command and what it says, as at a terminal.
run() {
    printf '\n```console\n$ %s\n' "$*" | plain
    # Where there is something to be done, linkwell ends with a status that says so.
    (cd "$ada" && eval "$*" || echo "(status $?)") 2>&1 | plain
    printf '```\n'
}

linkwell() {
    "$linkwell" "$@"
}

# Waits until something is so, which another program does.
until_so() {
    local what=$1 left=600
    shift
    until eval "$*"; do
        left=$((left - 1))
        if ((left == 0)); then
            echo "never so: $what" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# Ports that nobody listens at.
ports=()
until ((${#ports[@]} == 4)); do
    port=$((20000 + RANDOM % 12000))
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || ports+=("$port")
done
read -r port_ada page_ada port_laptop page_laptop <<< "${ports[*]}"

# A Syncthing in $1 that listens at $2, with its page at $3.
syncthing_in() {
    syncthing generate --no-default-folder "--home=$1" > /dev/null 2>&1
    sed -i -e "s|<listenAddress>default|<listenAddress>tcp://127.0.0.1:$2|" \
        -e "s|<address>127.0.0.1:8384</address>|<address>127.0.0.1:$3</address>|" \
        -e 's|AnnounceEnabled>true|AnnounceEnabled>false|' -e 's|<relaysEnabled>true|<relaysEnabled>false|' \
        -e 's|<natEnabled>true|<natEnabled>false|' -e 's|<crashReportingEnabled>true|<crashReportingEnabled>false|' \
        -e 's|<reconnectionIntervalS>60|<reconnectionIntervalS>1|' "$1/config.xml"
}

number_of() {
    sed -n 's|.*<device id="\([^"]*\)".*|\1|p' "$1/config.xml" | head -n 1
}

# The Syncthing in $1 syncs $2 as `Sync` with the one in $3, which is called $4 and listens at $5.
shares() {
    local folder device
    device="<device id=\"$(number_of "$3")\" name=\"$4\"><address>tcp://127.0.0.1:$5</address></device>"
    folder="<folder id=\"sync\" label=\"Sync\" path=\"$2\" type=\"sendreceive\" rescanIntervalS=\"2\""
    folder+=" fsWatcherEnabled=\"true\" fsWatcherDelayS=\"1\">"
    folder+="<device id=\"$(number_of "$1")\"></device><device id=\"$(number_of "$3")\"></device></folder>"
    sed -i "s|</configuration>|$folder$device</configuration>|" "$1/config.xml"
}

start() {
    : > "$1/log"
    syncthing serve "--home=$1" --no-browser --no-restart > "$1/log" 2>&1 &
    started+=($!)
    until_so "Syncthing runs" "grep -q 'GUI and API listening' '$1/log'"
}

own=$ada/.config/syncthing
other=$laptop/syncthing
syncthing_in "$own" "$port_ada" "$page_ada"
syncthing_in "$other" "$port_laptop" "$page_laptop"
shares "$own" "$ada/Sync" "$other" laptop "$port_laptop"
shares "$other" "$laptop/Sync" "$own" desk "$port_ada"
start "$own"
start "$other"
echo "the first picture" > "$ground/disk/Photos/2026/sea.jpg"
echo "snow" > "$ground/disk/Photos/2025/snow.jpg"
echo "what is where" > "$ground/disk/Photos/notes.txt"
ln -s 2026/sea.jpg "$ground/disk/Photos/best.jpg"
ln -s "$ground/disk/Photos" "$ada/Photos"

# What a tree is, to be compared with what it is in the end.
tree_of() {
    (cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f -exec sha256sum {} + | sort)
}
before=$(tree_of "$ground/disk/Photos")

cat << EOF
<!-- Written by docs/case-study/share.sh. -->
# A folder that lives elsewhere, in a sync client

Ada's photos are on a second disk, at \`/disk/Photos\`, and her Syncthing syncs \`~/Sync\` with her laptop. She wants the
photos on the laptop, too. Two Syncthings on one computer stand for the two computers here; \`/laptop\` is the other one.
EOF

say "What is here, and what it does with links:"
run "linkwell clients"

say "A link in \`~/Sync\` is what everybody tries first. It arrives as a link, and there are no photos behind it:"
run "ln -s $ground/disk/Photos ~/Sync/Photos"
until_so "the bare link arrives" "test -L '$laptop/Sync/Photos'"
run "ls -l $laptop/Sync | tail -n +2 | cut -d' ' -f1,9-; rm ~/Sync/Photos"
until_so "it is gone again" "! test -L '$laptop/Sync/Photos'"

say "With linkwell it is one command. First only a look:"
run "linkwell share -n --under ~ $ground/disk/Photos --with syncthing --into ~/Sync"
say "And then it is done:"
run "linkwell share -y $ground/disk/Photos --with syncthing --into ~/Sync > /dev/null"
until_so "the contents arrive" "test -f '$laptop/Sync/Photos/2026/sea.jpg'"
run "find $laptop/Sync/Photos; cat $laptop/Sync/Photos/2026/sea.jpg"
say "\`/disk/Photos\` still works, for Ada and for every program:"
run "cat $ground/disk/Photos/best.jpg; readlink $ground/disk/Photos"

say "An edit on the laptop comes back:"
run "echo 'edited on the laptop' > $laptop/Sync/Photos/2026/sea.jpg"
until_so "the edit comes back" "grep -q laptop '$ground/disk/Photos/2026/sea.jpg'"
run "cat $ground/disk/Photos/2026/sea.jpg"

say "Links die when folders are renamed. While \`linkwell watch\` runs, this one does not:"
"$linkwell" watch > "$ground/watch" 2>&1 &
started+=($!)
until_so "the watcher watches" "linkwell status 2>&1 | grep -q 'watch'"
sleep 1
run "mv ~/Sync/Photos ~/Sync/Pictures"
until_so "the link is mended" "test -f '$ground/disk/Photos/2026/sea.jpg'"
run "readlink $ground/disk/Photos; linkwell share --check -v"
until_so "the new name arrives" "test -f '$laptop/Sync/Pictures/2026/sea.jpg' && ! test -e '$laptop/Sync/Photos'"
run "ls $laptop/Sync"

say "Where the laptop renames it, Syncthing makes a new folder here and puts the files into that: to this computer the old
one is gone. The link says so, instead of staying dead in silence, and \`repair\` knows the folder by what is in it. (Both
computers are one here, so that it is found twice; on two there is one answer, and \`linkwell repair -i\` asks for a yes.)"
run "mv $laptop/Sync/Pictures $laptop/Sync/Fotos"
until_so "the new name arrives here" "test -f '$ada/Sync/Fotos/2026/sea.jpg' && ! test -e '$ada/Sync/Pictures'"
run "linkwell share --check"
run "linkwell repair -n"
run "linkwell retarget -y $ground/disk/Photos --to ~/Sync/Fotos > /dev/null"
run "linkwell share --check"

say "And when it shall live on its disk again, alone:"
run "linkwell unshare -y --no-refs $ground/disk/Photos"
until_so "the other side deletes its copy, as was said" "! test -e '$laptop/Sync/Fotos/2026/sea.jpg'"
run "find $ground/disk/Photos; find ~/Sync -not -path '*/.st*'"
echo "edited on the laptop" > "$ground/expected"
cmp "$ground/expected" "$ground/disk/Photos/2026/sea.jpg"
echo "the first picture" > "$ground/disk/Photos/2026/sea.jpg"
after=$(tree_of "$ground/disk/Photos")
if [[ $before != "$after" ]]; then
    diff <(echo "$before") <(echo "$after") >&2 || true
    echo "the tree is not what it was" >&2
    exit 1
fi
say "The tree is what it was in the beginning: every name, kind, permission, link and byte, but for the one picture that
was edited. (The script that wrote this page compares them.)"

say "## Without moving anything"
say "Syncthing can be told of the folder itself. That is what linkwell does where nothing else is said:"
run "linkwell share -y $ground/disk/Photos --with syncthing"
until_so "it is synced" "test -d '$ground/disk/Photos/.stfolder'"
run "linkwell share --list; linkwell share --check"
run "linkwell unshare -y --no-refs $ground/disk/Photos"
until_so "its mark is gone" "! test -e '$ground/disk/Photos/.stfolder'"
[[ $(tree_of "$ground/disk/Photos") == "$before" ]]
