#!/usr/bin/env python3
"""Measures this server beside another MCP server, in one run, as ratios. Python standard library only.

usage: beside.py [--binary PATH] [--runs N] [--call TOOL JSON] [--own-call TOOL JSON] -- COMMAND [ARGUMENT...]

COMMAND starts any MCP server on stdin and stdout. The two take turns, so that whatever else the machine does hits both. A ratio above 1 says that the
other one takes more. Without --call no tool of the other server is called. Nothing here passes or fails.
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

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Peer:
    """A server process and a client of it."""

    def __init__(self, command, env, cwd):
        self.process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.last = 0

    def send(self, message):
        self.process.stdin.write((json.dumps(message) + "\n").encode())
        self.process.stdin.flush()

    def request(self, method, params=None):
        """Seconds, the result, and the bytes of the answer."""
        self.last += 1
        started = time.monotonic()
        self.send({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params or {}})
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server ended: %s" % self.process.args)
            message = json.loads(line)
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    raise SystemExit("%s: %s" % (method, message["error"]))
                return time.monotonic() - started, message["result"], len(line)
            if "id" in message and "method" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "not here"}})

    def initialize(self):
        self.request("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "beside", "version": "1"}})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def tools(self):
        """Seconds and bytes of the whole list."""
        seconds, size, cursor = 0, 0, {}
        while True:
            took, result, length = self.request("tools/list", cursor)
            seconds, size = seconds + took, size + length
            if not result.get("nextCursor"):
                return seconds, size
            cursor = {"cursor": result["nextCursor"]}

    def memory(self):
        """MiB of the process and all below it: a starter script isn't the server."""
        pids, total = [self.process.pid], 0
        while pids:
            pid = pids.pop()
            try:
                with open("/proc/%d/status" % pid) as f:
                    total += next((int(line.split()[1]) for line in f if line.startswith("VmRSS")), 0)
                for task in os.listdir("/proc/%d/task" % pid):
                    with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                        pids += [int(word) for word in f.read().split()]
            except OSError:
                pass
        return total / 1024

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measure(command, env, cwd, call):
    """One life of a server: what was measured, by name."""
    found = {}
    started = time.monotonic()
    peer = Peer(command, env, cwd)
    try:
        peer.initialize()
        found["start to initialize, ms"] = (time.monotonic() - started) * 1000
        seconds, size = peer.tools()
        found["tools/list, ms"], found["tools/list, bytes"] = seconds * 1000, size
        found["ping, ms"] = statistics.median(peer.request("ping")[0] for _ in range(50)) * 1000
        if os.path.isdir("/proc/self"):
            found["idle memory, MiB"] = peer.memory()
        if call:
            times = [peer.request("tools/call", {"name": call[0], "arguments": json.loads(call[1])})[0] for _ in range(10)]
            found["a call, ms"] = statistics.median(times) * 1000
    finally:
        peer.close()
    return found


def main():
    words, other = (sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]) if "--" in sys.argv else (sys.argv[1:], [])
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build/release/opencode-worker"))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--call", nargs=2, metavar=("TOOL", "JSON"), help="a tool of the other server's")
    parser.add_argument("--own-call", nargs=2, metavar=("TOOL", "JSON"), default=["opencode_status", "{}"])
    options = parser.parse_args(words)
    if not other:
        parser.error("name the other server's command behind --")
    if not os.access(options.binary, os.X_OK):
        raise SystemExit("%s is not there: swift build -c release" % options.binary)
    work = tempfile.mkdtemp(prefix="beside-")
    env = dict(os.environ, OPENCODE_WORKER_STATE_DIR=os.path.join(work, "state"))
    try:
        rows = {}
        for number in range(options.runs + 1):
            for which, command, call in (0, [options.binary], options.own_call if options.call else None), (1, other, options.call):
                for name, value in measure(command, env, work, call).items():
                    # The first life of each warms the caches.
                    if number > 0:
                        rows.setdefault(name, ([], []))[which].append(value)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("%-26s %12s %12s %8s" % ("median of %d" % options.runs, "this server", "the other", "ratio"))
    for name, (own, others) in rows.items():
        a, b = statistics.median(own), statistics.median(others)
        print("%-26s %12.2f %12.2f %8.1f" % (name, a, b, b / a if a else 0))


if __name__ == "__main__":
    main()
