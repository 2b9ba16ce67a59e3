"""The resident shell of a job's container, and the scripts it starts processes with. Pure text.

The container's main process is POSIX `sh` (dash, busybox ash, bash), a pipeline of loops: some runners, each
of which has a FIFO in the control folder, takes the id of a process from it, runs that and waits for it; and
one loop that takes requests about running processes from another FIFO. All answer on a third. Runners are
members of a foreground pipeline because a shell makes whatever it starts with `&` ignore SIGINT for good
(POSIX, Shell Command Language, 2.11), and steps are interrupted with SIGINT.
For a process `ID` the folder holds:

    ID.run    how to start it: folder, environment, program; removed by the worker once it was read
    ID.out    standard output; made by the worker, written by the process
    ID.err    standard error
    ID.pid    the process's number, which is also its session's
    ID.began  made by the script when all of it was read
    ID.why    the reason, when it was not started (`cwd`, `program`) or its runner is gone (`lost`): a step
              can kill its parent, so the worker asks now and then whether that lives
    ID.exit   `CODE OOM` and a newline, in one write: without the newline it is not yet there. OOM is 1 when
              the kernel killed something for want of memory while it ran. Where the disk is full, the answer
              is `unwritten ID CODE OOM`: a FIFO needs no disk

Nothing in a request is shell text: words are ids and names of signals. Values of variables are single-quoted
literals in ID.run, never arguments that other users of the machine could see in a process list, except for
the few names that a shell cannot export, which go through `env`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_FUNCTIONS = r"""
pawl_ooms() {
    pawl_oom=0
    for pawl_file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$pawl_file" ] || continue
        while read -r pawl_key pawl_value; do
            [ "$pawl_key" != oom_kill ] || pawl_oom=$pawl_value
        done <"$pawl_file"
    done
}
pawl_family() {
    pawl_found=" $1 "
    pawl_grown=1
    while [ "$pawl_grown" = 1 ]; do
        pawl_grown=0
        for pawl_file in /proc/[0-9]*/stat; do
            { read -r pawl_line <"$pawl_file"; } 2>/dev/null || continue
            pawl_pid=${pawl_line%% *}
            case $pawl_found in *" $pawl_pid "*) continue ;; esac
            set -- "$1" ${pawl_line##*) }
            case $pawl_found in
                *" $3 "*) ;;
                *) [ "$5" = "$1" ] || continue ;;
            esac
            pawl_found="$pawl_found$pawl_pid "
            pawl_grown=1
        done
        [ "$pawl_signal" != KILL ] || kill -s STOP $pawl_found 2>/dev/null
    done
}
pawl_send() {
    pawl_signal=$1
    [ ! -e "$pawl_c/$2.exit" ] || return 0
    pawl_tries=0
    until { read -r pawl_root <"$pawl_c/$2.pid"; } 2>/dev/null; do
        [ $((pawl_tries += 1)) -lt 20000 ] || return 0
    done
    pawl_family "$pawl_root"
    kill -s "$pawl_signal" $pawl_found 2>/dev/null
    return 0
}
"""

RUNNERS = 4
"""How many processes can run at once before the worker asks for more runners."""

SUPERVISOR = (
    r"""
pawl_c=$1
pawl_session=$(command -v setsid)
exec 4<>"$pawl_c/replies" || exit 1
"""
    + _FUNCTIONS
    + r"""
pawl_run() {
    exec 5<>"$pawl_c/runner.$1" </dev/null >/dev/null
    read -r pawl_pid pawl_rest </proc/self/stat
    echo "$pawl_pid" >"$pawl_c/runner.$1.pid"
    while :; do
        read -r pawl_id <&5 || continue
        pawl_ooms
        pawl_before=$pawl_oom
        (
            read -r pawl_pid pawl_rest </proc/self/stat
            echo "$pawl_pid" >"$pawl_c/$pawl_id.pid"
            exec 4<&- 5<&-
            . "$pawl_c/$pawl_id.run"
        ) >"$pawl_c/$pawl_id.out" 2>"$pawl_c/$pawl_id.err"
        pawl_code=$?
        pawl_ooms
        [ "$pawl_oom" = "$pawl_before" ] && pawl_oom=0 || pawl_oom=1
        if echo "$pawl_code $pawl_oom" >"$pawl_c/$pawl_id.exit"; then
            echo "$pawl_id" >&4
        else
            echo "unwritten $pawl_id $pawl_code $pawl_oom" >&4
        fi 2>/dev/null
    done
}
pawl_check() {
    echo alive >&4
    [ ! -e "$pawl_c/$1.exit" ] || return 0
    { read -r pawl_runner <"$pawl_c/runner.$2.pid"; } 2>/dev/null || return 0
    if { read -r pawl_line <"/proc/$pawl_runner/stat"; } 2>/dev/null; then
        case ${pawl_line##*) } in Z*) ;; *) return 0 ;; esac
    fi
    [ ! -e "$pawl_c/$1.exit" ] || return 0
    pawl_send KILL "$1"
    echo lost >"$pawl_c/$1.why"
    echo "137 0" >"$pawl_c/$1.exit"
    echo "$1" >&4
}
pawl_main() {
    exec 3<>"$pawl_c/requests" </dev/null || exit 1
    while :; do
        read -r pawl_op pawl_id pawl_word <&3 || continue
        case $pawl_op in
            signal) pawl_send "$pawl_word" "$pawl_id" ;;
            check) pawl_check "$pawl_id" "$pawl_word" ;;
            more) exec 3<&-; pawl_run "$pawl_id" | pawl_main; exit ;;
        esac
    done
}
echo ready >"$pawl_c/ready"
echo ready >&4
"""
    + "".join(f"pawl_run {number} | " for number in range(1, RUNNERS + 1))
    + "pawl_main\n"
)
"""The text of the loop; its only argument is the inside path of the control folder."""

WAITER = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
"""The main process of a container whose folders cannot be shared: nothing can be asked of it."""

OOM_COUNT = _FUNCTIONS + 'pawl_ooms; echo "$pawl_oom"'
"""Prints how often the kernel has killed something in the container for want of memory."""

SEND_SIGNAL = "pawl_c=$1\n" + _FUNCTIONS + 'pawl_send "$3" "$2"\n'
"""Sends a signal without the loop; arguments are the control folder, the process and the signal."""

_SHELL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Names that mean something to one of the shells: it would not take every value, or would change its own ways.
_TAKEN = re.compile(
    r"_|IFS|PS[0-9]|OPT(IND|ARG|ERR)|P?PID|E?UID|GROUPS|(OLD)?PWD|LINENO|S?RANDOM|SECONDS|EPOCH.*|BASH.*|SHELLOPTS|"
    r"FUNCNAME|DIRSTACK|HIST.*|COMP_.*|LC_.*|LANG.*|TMOUT|POSIXLY_CORRECT|pawl_.*"
)


def quote(text: str) -> str:
    """Return text as one single-quoted word of any POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def check_environment(env: Mapping[str, str | None]) -> str | None:
    """Return what is wrong with an environment that no process can have, else None."""
    for name, value in env.items():
        if not name or "=" in name or "\0" in name:
            return f"{name!r} cannot be the name of a variable"
        if value is not None and "\0" in value:
            return f"the variable {name} has a NUL character in its value"
    return None


def start_script(
    control: str, identity: str, argv: Sequence[str], env: Mapping[str, str | None], cwd: str
) -> bytes:
    """Return the script (ID.run) that becomes the process.

    Args:
        control: inside path of the control folder.
        identity: the process's id.
        argv: program and arguments.
        env: variables; None removes one that the container has. Checked by `check_environment`.
        cwd: the folder to start in.
    """
    base = f"{control}/{identity}"
    plain, strange = [], []
    for name, value in env.items():
        usual = _SHELL_NAME.fullmatch(name) and not _TAKEN.fullmatch(name)
        if usual and name != "PATH":
            plain.append(f"unset {name}" if value is None else f"export {name}={quote(value)}")
        elif name != "PATH":
            strange.append(f"-u {quote(name)}" if value is None else quote(f"{name}={value}"))
    strange.sort(key=lambda word: not word.startswith("-u "))
    program = argv[0]
    words = " ".join(map(quote, argv))
    if "=" in program or program.startswith("-"):
        # Neither `exec` nor `env` would take such a word for a program.
        words = "sh -c " + quote('exec "$0" "$@"') + f" {words}"
    lines = [
        f"cd -- {quote(cwd)} 2>/dev/null || {{ echo cwd >{base}.why; exit 126; }}",
        "pawl_env=$(command -v env)" if strange else "",
        *plain,
        *_path_lines(env),
        f"command -v {quote(program)} >/dev/null 2>&1 || {{ echo program >{base}.why; exit 127; }}",
        f": >{base}.began",
        f'exec $pawl_session "$pawl_env" {" ".join(strange)} {words}'
        if strange
        else f"exec $pawl_session {words}",
        "",
    ]
    return "\n".join(line for line in lines if line or line is lines[-1]).encode("utf-8", "surrogateescape")


def _path_lines(env: Mapping[str, str | None]) -> list[str]:
    """Return what sets PATH, last of all: programs are looked up in the process's own."""
    if "PATH" not in env:
        return []
    path = env["PATH"]
    return ["unset PATH" if path is None else f"export PATH={quote(path)}"]
