"""What the shell of another machine is told: to start a run, to watch it, to find it again, to end and to remove it.

Each takes the folder of the run and its mark first. In the folder are `mark`, `run` (what runs), `leader` (the number
of its first process), `out` and `err` (what it writes), `code` (how it ended) and `work` (the working directory).
"""

from __future__ import annotations

STARTING = """
root=$1; mark=$2; name=$3
cd "$root" || exit 1
own=$(command -v setsid || echo nohup)
env "$name=$mark" "$own" /bin/sh "$root/run" </dev/null >out 2>err &
while [ ! -s leader ] && kill -s 0 $! 2>/dev/null; do sleep 0.05; done
"""
"""Starts a run that needs no connection any more: what it writes, and how it ends, is in files."""

WATCHING = """
root=$1; mark=$2; leader=$(cat "$root/leader")
if [ -d /proc/self ]; then runs() { grep -qsF "$mark" "/proc/$leader/environ"; }
else runs() { kill -s 0 "$leader" 2>/dev/null; }
fi
while [ ! -e "$root/code" ] && runs; do sleep 0.1; done
cat "$root/code" 2>/dev/null || echo none
"""
"""Waits for the end of a run and gives its exit code; what ends the rest of it follows."""

ENDING = """
root=$1; mark=$2; linger=$3; tries=$4
leader=$(cat "$root/leader" 2>/dev/null)
members() {
    # Who has ended but was not taken note of by its parent is still in its group.
    for file in $(grep -lsF "$mark" /proc/[0-9]*/environ; grep -ls ") [^ZX] [0-9]* $leader " /proc/[0-9]*/stat); do
        file=${file#/proc/}
        echo "${file%/*}"
    done
    if [ ! -d /proc/self ] && kill -s 0 -- "-$leader" 2>/dev/null; then echo "-$leader"; fi
}
tell() { for one in $(members); do kill -s "$1" -- "$one" 2>/dev/null; done; }
while [ -n "$(members)" ] && [ $linger -gt 0 ]; do sleep 0.1; linger=$((linger - 1)); done
if [ $linger -gt 0 ] || [ -z "$(members)" ]; then echo none; exit; fi
tell TERM
while [ $tries -gt 0 ] && [ -n "$(members)" ]; do sleep 0.1; tries=$((tries - 1)); done
tries=50
while [ $tries -gt 0 ] && [ -n "$(members)" ]; do tell KILL; sleep 0.1; tries=$((tries - 1)); done
if [ -n "$(members)" ]; then echo left $(members); else echo ended; fi
"""
"""Ends all processes of a run: its process group, and whoever left that but has the mark in its environment."""

FINDING = """
root=$1
if [ ! -O "$root" ] || [ -L "$root" ]; then exit 2; fi
cat "$root/mark"
test -s "$root/leader"
"""
"""Gives the mark of a run that is there; fails where nothing of it has begun, and by `FOREIGN` where it is not ours."""

FOREIGN = 2

REMOVING = 'if [ "$(cat "$1/mark")" = "$2" ]; then rm -rf -- "$1"; fi'
"""Removes the folder, unless it has become that of another run."""
