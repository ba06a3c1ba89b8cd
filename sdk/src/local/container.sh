# Makes a data folder, then supervises its server: what reads the commands and where the answers go are two connections to
# the process that started us. Arguments: its port, our folder, the number of words of the command that makes the data,
# those, then the server's command line. In SUPERVISOR: the script that supervises. For bash, which can open connections.
port=$1 folder=$2 count=$3
shift 3
exec </dev/tcp/127.0.0.1/"$port" >/dev/tcp/127.0.0.1/"$port"
# Debian and Ubuntu keep the programs of each version outside PATH.
for programs in /usr/lib/postgresql/*/bin; do PATH=$PATH:$programs; done
mkdir "$folder" || exit
if ! "${@:1:count}" </dev/null >"$folder/log" 2>&1; then
    tail -n 8 "$folder/log" | sed 's/^/log: /'
    exit 1
fi
shift "$count"
exec bash -c "$SUPERVISOR" shardwise-supervisor "$folder" "$@"
