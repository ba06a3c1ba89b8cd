# Runs a server until the pipe closes that this reads its commands from. Then it stops the server and removes the folder.
# Arguments: the folder, then the server's command line.
folder=$1
shift
pid_file=$folder/supervised.pid

# The server's end is told by the job that waits for it, so that one that fails is noticed at once; and why it ended.
start() {
    {
        "$@" </dev/null >>"$folder/log" 2>&1 &
        echo $! >"$pid_file"
        echo "started $!"
        wait $!
        rm -f "$pid_file"
        tail -n 8 "$folder/log" | sed 's/^/log: /'
        echo ended
    } &
}

signal() {
    [ -f "$pid_file" ] && kill -s "$1" "$(cat "$pid_file")"
}

finish() {
    # QUIT: PostgreSQL stops at once, without a checkpoint that nobody will read. To others TERM says it.
    signal QUIT
    signal TERM
    wait
    rm -rf "$folder"
    exit 0
}
trap finish TERM INT HUP

while IFS= read -r command; do
    case $command in
    start) start "$@" ;;
    *) signal "$command" ;;
    esac
done
finish
