#!/usr/bin/env python3
"""Measures the release build of the worker. Python standard library only.

usage: benchmark.py [--short] [--binary PATH]
--short leaves the 1 GB log, the 20,000 and the 200,000 files out and repeats less. Nothing here passes or fails: it prints what it measured
beside the target, where there is one.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def row(name, value, target=""):
    print("%-58s %-30s %s" % (name, value, target), flush=True)


def ms(values):
    values = sorted(v * 1000 for v in values)
    return "median %.1f ms (min %.1f, max %.1f)" % (statistics.median(values), values[0], values[-1])


def process_column(pid, column):
    """What `ps` says of a process; nothing when it isn't there."""
    return subprocess.run(["ps", "-o", column + "=", "-p", str(pid)], stdout=subprocess.PIPE, text=True).stdout.strip()


def resident(pid):
    """MiB of memory that a process has just now."""
    return int(process_column(pid, "rss") or 0) / 1024


class Server:
    """An MCP client with a server process of its own."""

    def __init__(self, binary, env, cwd):
        self.process = subprocess.Popen([binary], env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.next_id = 0
        self.pending = {}

    def begin(self, method, params):
        self.next_id += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        return self.next_id

    def answer(self, number):
        while number not in self.pending:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server ended")
            message = json.loads(line)
            if "id" in message:
                self.pending[message["id"]] = (message, len(line))
        return self.pending.pop(number)

    def request(self, method, params=None):
        return self.answer(self.begin(method, params or {}))

    def initialize(self):
        self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}})

    def call(self, tool, arguments=None):
        return self.request("tools/call", {"name": tool, "arguments": arguments or {}})[0]["result"]["structuredContent"]

    def memory(self):
        return resident(self.process.pid)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def first_answer(command, env, message, runs):
    times = []
    memory = 0
    for _ in range(runs):
        started = time.monotonic()
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write(message)
        process.stdin.flush()
        process.stdout.readline()
        times.append(time.monotonic() - started)
        memory = max(memory, resident(process.pid))
        process.stdin.close()
        process.wait()
    return times, memory


def make_repository(path, files, env):
    os.makedirs(path)
    for i in range(files):
        folder = os.path.join(path, "d%d" % (i // 100))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "f%d.txt" % i), "w") as f:
            f.write("file %d\n" % i)
    git = ["git", "-c", "user.name=B", "-c", "user.email=b@localhost"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run(git + arguments, cwd=path, env=env, check=True)


def stand_in(folder, binary, configuration):
    os.makedirs(folder, exist_ok=True)
    link = os.path.join(folder, "opencode")
    if not os.path.lexists(link):
        os.symlink(binary, link)
    with open(os.path.join(folder, "stand-in.json"), "w") as f:
        json.dump(configuration, f)
    return link


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build", "release", "opencode-worker"))
    options = parser.parse_args()
    binary = os.path.realpath(options.binary)
    if not os.path.exists(binary):
        sys.exit("build first: swift build -c release")
    # On the disk that the sources are on, as a user's projects and runs are; a folder for temporary files may be another thing.
    build = os.path.join(ROOT, ".build")
    work = os.path.realpath(tempfile.mkdtemp(prefix="benchmark-", dir=build if os.access(build, os.W_OK) else None))
    runs = 5 if options.short else 20
    env = {"PATH": os.environ["PATH"], "HOME": work + "/home", "OPENCODE_WORKER_STATE_DIR": work + "/state", "LANG": "C.UTF-8"}
    os.makedirs(work + "/home")
    try:
        measure(binary, work, env, runs, options.short)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(binary, work, env, runs, short):
    initialize = json.dumps({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "b", "version": "1"}}}).encode() + b"\n"
    bare = work + "/bare-foundation"
    static = ["-static-stdlib"] if sys.platform == "linux" else []
    built = subprocess.run(["swiftc", "-O", *static, HERE + "/bare-foundation.swift", "-o", bare], capture_output=True, text=True)
    targets = ("", "")
    if built.returncode == 0:
        # Taking turns: what the machine does meanwhile hits both.
        bare_times, times, bare_memory, memory = [], [], 0, 0
        for _ in range(4):
            more, most = first_answer([bare], env, b'{"id":1}\n', max(runs, 8) // 2)
            bare_times, bare_memory = bare_times + more, max(bare_memory, most)
            more, most = first_answer([binary], env, initialize, max(runs, 8) // 2)
            times, memory = times + more, max(memory, most)
        row("bare Foundation program: start to first answer", ms(bare_times))
        row("bare Foundation program: memory", "%.1f MiB" % bare_memory)
        targets = ("target %.1f ms: 1 more than the bare program" % (statistics.median(bare_times) * 1000 + 1), "target %.1f MiB: 1 more" % (bare_memory + 1))
    else:
        times, memory = first_answer([binary], env, initialize, runs)
    row("start to initialize reply", ms(times), targets[0])
    row("idle memory", "%.1f MiB" % memory, targets[1])

    for files in (1000,) if short else (1000, 20000):
        repository = work + "/repository-%d" % files
        make_repository(repository, files, env)
        delegations(binary, work, dict(env), repository, files, runs)

    if not short:
        many_files(binary, work, dict(env))
    logs(binary, work, dict(env), 64 if short else 1024)


def delegations(binary, work, env, repository, files, runs):
    env["OPENCODE_BIN"] = stand_in(work + "/bin", binary, {
        "version": "1.18.34", "turns": [{"text": "Working.", "delay": 0.4}]})
    server = Server(binary, env, work)
    server.initialize()
    if files == 1000:
        _, size = server.request("tools/list")
        row("tools/list", "%d bytes" % size, "target 8192")
        times = []
        for _ in range(200):
            started = time.monotonic()
            server.request("ping")
            times.append(time.monotonic() - started)
        row("ping", ms(times))
    starts, wakes, running = [], [], []
    # OpenCode as a script: what it is first asked for its version, and later is not. It says itself when it runs.
    script = work + "/bin/script-%d" % files
    with open(script, "w") as f:
        f.write("#!/bin/sh\ncase $1 in run) date +%%s%%N > '%s/ran-at' ;; esac\nexec '%s' \"$@\"\n" % (work, env["OPENCODE_BIN"]))
    os.chmod(script, 0o755)
    asking = Server(binary, dict(env, OPENCODE_BIN=script), work)
    asking.initialize()
    for number in range(min(runs, 10)):
        began = time.time()
        run = asking.call("opencode_start", {"message": "Do nothing.", "cwd": repository})["run"]
        asking.call("opencode_wait", {"run": run})
        if number > 0:
            with open(work + "/ran-at") as f:
                running.append(int(f.read()) / 1e9 - began)
    asking.close()
    row("opencode_start to OpenCode running (a script), %d files" % files, ms(running), "target 30 ms" if files == 1000 else "")
    def end_to_reply(arguments):
        started = time.monotonic()
        reply = server.call("opencode_start", dict(arguments, message="Do nothing.", cwd=repository))
        starts.append(time.monotonic() - started)
        wait = server.begin("tools/call", {"name": "opencode_wait", "arguments": {"run": reply["run"]}})
        with open(os.path.join(env["OPENCODE_WORKER_STATE_DIR"], "runs", reply["run"], "process.json")) as f:
            pid = json.load(f)["identity"]["pid"]
        while is_running(pid):
            time.sleep(0.0005)
        ended = time.monotonic()
        server.answer(wait)
        return time.monotonic() - ended

    for _ in range(runs):
        wakes.append(end_to_reply({"model": "stand-in/m1"}))
    if files == 1000:
        hooks(binary, env, repository, runs)
    row("opencode_start, %d files" % files, ms(starts))
    row("OpenCode's end to the wait's reply, %d files" % files, ms(wakes), "target 15 ms" if files == 1000 else "")
    if files == 1000:
        # Nobody chose a model: OpenCode is asked for it, while a run that takes its time is alive.
        stand_in(work + "/bin", binary, {"version": "1.18.34", "turns": [{"text": "Working.", "delay": 2}]})
        row("the same without a model, of a run of 2 s", ms([end_to_reply({}) for _ in range(min(runs, 6))]), "target 15 ms")

    changed = "for i in 0 1 2 3 4 5 6 7 8 9; do echo changed >> d0/f$i.txt; done"
    env["OPENCODE_BIN"] = stand_in(work + "/bin", binary, {"version": "1.18.34", "turns": [
        {"text": "I will change ten files.", "tools": [{"name": "bash", "arguments": {"command": changed, "description": "Changes files"}}]},
        {"tools": [{"name": "bash", "arguments": {"command": "true", "description": "Checks"}}]},
        {"tools": [{"name": "bash", "arguments": {"command": "test -f d0/f0.txt", "description": "Checks"}}]},
        {"tools": [{"name": "bash", "arguments": {"command": "false", "description": "Checks"}}]},
        {"text": "Ten files changed; two checks passed and one failed."}]})
    arguments = {
        "message": "Change ten files.", "cwd": repository, "acceptanceCriteria": ["ten files are changed"],
        "verificationCommands": ["true", "test -f d0/f0.txt", "false"]}
    message = server.call("opencode_run_and_wait", arguments)
    beside = wire(arguments) + wire(message) - wire(message["answer"])
    row("ordinary delegation: call and reply beside the answer, %d files" % files, "%d bytes" % beside)
    # From a clean tree, as the first: each row would else say that the file was dirty before.
    subprocess.run(["git", "checkout", "-q", "."], cwd=repository, env=env, check=True)
    plain_task = {"message": "Change ten files.", "cwd": repository}
    reply = server.call("opencode_run_and_wait", plain_task)
    row("the same without checks: the reply beside the answer", "%d bytes" % (wire(reply) - wire(reply["answer"])), "target 1000")
    row("a run's folder after its end, %d files" % files, kept(env, message["run"]))
    times = []
    for _ in range(runs):
        started = time.monotonic()
        server.call("opencode_changed_files", {"run": message["run"]})
        times.append(time.monotonic() - started)
    row("opencode_changed_files, %d files" % files, ms(times))
    plain = []
    for _ in range(runs):
        started = time.monotonic()
        subprocess.run(["git", "status", "--porcelain"], cwd=repository, env=env, stdout=subprocess.DEVNULL)
        plain.append(time.monotonic() - started)
    row("git status, %d files (for comparison)" % files, ms(plain))
    def both_trees():
        times = []
        for _ in range(min(runs, 10)):
            done = subprocess.run([binary, "measure", "trees", repository], env=env, capture_output=True, text=True, check=True)
            times.append(float(done.stdout))
            os.remove(repository + "/measured.txt")
        return ms(times)

    target = "target: 3 x git status, %.0f ms" % (3000 * statistics.median(plain)) if files == 20000 else ""
    row("both trees of a run, %d files" % files, both_trees(), target)
    subprocess.run(["git", "update-index", "--index-version", "4"], cwd=repository, env=env, check=True)
    row("the same with an index of version 4", both_trees(), target)
    row("server's memory afterwards", "%.1f MiB" % server.memory())
    server.close()


def wire(value):
    """Bytes of a value as it is sent, and as Codex shows it to its model."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def kept(env, run):
    """What a run's folder takes when its supervisor has ended as well."""
    folder = os.path.join(env["OPENCODE_WORKER_STATE_DIR"], "runs", run)
    with open(folder + "/supervisor.json") as f:
        pid = json.load(f)["identity"]["pid"]
    while is_running(pid):
        time.sleep(0.01)
    return subprocess.run(["du", "-sk", folder], stdout=subprocess.PIPE, text=True).stdout.split()[0] + " KiB"


def many_files(binary, work, env):
    """200,000 files that are committed; then as many that are not."""
    tracked = work + "/repository-200000"
    make_repository(tracked, 200000, env)
    untracked = work + "/untracked"
    make_repository(untracked, 3, env)
    for i in range(200000):
        folder = os.path.join(untracked, "new%d" % (i // 1000))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "f%d.txt" % i), "w") as f:
            f.write("file %d\n" % i)
    for repository, name, path in ((tracked, "200,000 files", "d0/f0.txt"), (untracked, "200,000 untracked files", "new199/f199999.txt")):
        env["OPENCODE_BIN"] = stand_in(work + "/bin-many", binary, {"version": "1.18.34", "turns": [
            {"tools": [{"name": "bash", "arguments": {"command": "echo changed >> " + path, "description": "Changes a file"}}]}, {"text": "Changed."}]})
        server = Server(binary, env, work)
        server.initialize()
        started = time.monotonic()
        reply = server.call("opencode_run_and_wait", {"message": "Change a file.", "cwd": repository, "model": "stand-in/m1"})
        seconds = time.monotonic() - started
        named = [row["path"] for row in reply["changedFiles"]["files"]]
        row("a whole run, %s" % name, "%.1f s, changed: %s" % (seconds, ", ".join(named)), "changed: " + path)
        row("a run's folder after its end, %s" % name, kept(env, reply["run"]))
        server.close()


def hooks(binary, env, repository, runs):
    """Codex waits for these at each turn's end and each session's beginning: whole processes, with a run in the state folder."""
    for name in ("Stop", "SessionStart", "Interrupt"):
        event = json.dumps({"hook_event_name": name, "session_id": "another", "cwd": repository, "stop_hook_active": False}).encode()
        times = []
        for _ in range(max(runs, 10)):
            started = time.monotonic()
            subprocess.run([binary, "hook"], env=env, input=event, stdout=subprocess.DEVNULL, check=True)
            times.append(time.monotonic() - started)
        row("hook %s, where it doesn't wait" % name, ms(times), "target 50 ms")


def is_running(pid):
    if not os.path.exists("/proc/self/stat"):
        return process_column(pid, "stat")[:1] not in ("", "Z", "X")
    # Far quicker than a `ps`, which would be late.
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def digest(binary, env, path, name):
    size = os.path.getsize(path) / (1 << 20)
    started = time.monotonic()
    done = subprocess.run([binary, "measure", "log", path], env=env, capture_output=True, text=True)
    row("digest of a %d MiB %s" % (size, name), "%.0f MiB/s %s" % (size / (time.monotonic() - started), done.stdout.strip()))


def logs(binary, work, env, mebibytes):
    """A run with a large log: what its supervisor needs to fold it, and what a first look at it costs."""
    line = json.dumps({
        "type": "tool_use", "timestamp": 1795364080500, "sessionID": "ses_1",
        "part": {"type": "tool", "tool": "bash", "callID": "call", "id": "prt_%010d", "sessionID": "ses_1", "messageID": "msg_1", "state": {
            "status": "completed", "input": {"command": "make test", "description": "Runs the tests"},
            "output": "line of output\n" * 1000, "metadata": {"exit": 0, "output": "line of output\n" * 1000}, "title": "make test",
            "time": {"start": 1795364080459, "end": 1795364080494}}}})
    block = "".join(line % i + "\n" for i in range(64)).encode()
    path = work + "/large.jsonl"
    with open(path, "wb") as f:
        while f.tell() < mebibytes << 20:
            f.write(block)
    digest(binary, env, path, "log")
    other = work + "/other.jsonl"
    with open(other, "w") as f:
        f.write("  words of a plugin or a server, which are no event\n" * 100000)
    digest(binary, env, other, "log of other programs' lines")
    with open(other, "w") as f:
        f.write("".join(json.dumps({
            "type": "tool_use", "timestamp": 1795364080500, "sessionID": "ses_1",
            "part": {"type": "tool", "tool": "write", "callID": "call%d" % i, "id": "prt_%010d" % i, "sessionID": "ses_1", "messageID": "msg_1", "state": {
                "status": "completed", "input": {"filePath": "/w/f%d.txt" % i, "content": "x"}, "output": "Wrote file successfully.",
                "metadata": {"filepath": "/w/f%d.txt" % i}, "title": "f", "time": {"start": 1795364080459, "end": 1795364080494}}}}) + "\n"
            for i in range(20000)))
    digest(binary, env, other, "log of edits")
    os.remove(other)

    env["OPENCODE_BIN"] = stand_in(work + "/bin-large", binary, {"version": "1.18.34", "turns": [{"text": "Done."}]})
    repository = work + "/repository-log"
    make_repository(repository, 3, env)
    server = Server(binary, env, work)
    server.initialize()
    run = server.call("opencode_run_and_wait", {"message": "x", "cwd": repository})["run"]
    server.close()
    folder = os.path.join(env["OPENCODE_WORKER_STATE_DIR"], "runs", run)
    # The same run as if it had written the large log: without a review, so that it is taken over and folded once.
    shutil.move(path, folder + "/events.jsonl")
    for name in ("review.json", "digest.json"):
        os.remove(os.path.join(folder, name))
    server = Server(binary, env, work)
    server.initialize()
    started = time.monotonic()
    while server.call("opencode_status", {"run": run})["running"]:
        time.sleep(0.05)
    row("taking over a run with that log, whole", "%.2f s" % (time.monotonic() - started))
    server.close()
    for tool in ("opencode_status", "opencode_run_summary", "opencode_logs"):
        times, memory = [], 0
        for _ in range(5):
            server = Server(binary, env, work)
            server.initialize()
            started = time.monotonic()
            server.call(tool, {"run": run})
            times.append(time.monotonic() - started)
            memory = max(memory, server.memory())
            server.close()
        row("%s, first look, %d MiB log" % (tool, mebibytes), "%s, %.1f MiB" % (ms(times), memory), "target 50 ms, 30 MiB")


if __name__ == "__main__":
    main()
