#!/usr/bin/env python3
"""Renews the pictures of reports in this folder: python3 docs/pictures/make.py BINARY [good] [failed] [huge]

It plays runs with the stand-in in a temporary folder and takes pictures of their reports with Chromium, headless. Look at what it made before you
commit it. The screens of `watch` are renewed by their test: UPDATE_GOLDEN=1 swift test --filter WatchScreenTests
"""

import json, os, pathlib, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent


def edit(path, old, new):
    return {"name": "edit", "arguments": {"filePath": path, "oldString": old, "newString": new}}


def write(path, content):
    return {"name": "write", "arguments": {"filePath": path, "content": content}}


def shell(command):
    return {"name": "bash", "arguments": {"command": command, "description": command[:40]}}


def todo(*states):
    names = ["Read the parser", "Add --verbose", "Write a test", "Run the checks"]
    return {"name": "todowrite", "arguments": {"todos": [
        {"id": str(n), "content": name, "status": state, "priority": "high"} for n, (name, state) in enumerate(zip(names, states))]}}


USAGE = {"prompt_tokens": 18240, "completion_tokens": 412, "total_tokens": 18652}
CLI = "import sys\n\n\ndef main():\n    print(sys.argv)\n"
VERBOSE = "    verbose = \"--verbose\" in sys.argv\n    if verbose:\n        print(\"arguments:\", sys.argv[1:])\n    print(sys.argv)\n"
TEST = "from src.cli import main\n\n\ndef test_verbose(capsys):\n    main()\n    assert capsys.readouterr().out\n"

GOOD = {"pause": 0.05, "turns": [
    {"text": "I will read the parser first.", "tools": [todo("in_progress", "pending", "pending", "pending"),
     {"name": "read", "arguments": {"filePath": "src/cli.py"}}], "delay": 1, "usage": USAGE},
    {"text": "The option belongs into main.", "tools": [edit("src/cli.py", "    print(sys.argv)\n", VERBOSE)], "delay": 2, "usage": USAGE},
    {"tools": [write("tests/test_cli.py", TEST), todo("completed", "completed", "completed", "in_progress")], "delay": 1, "usage": USAGE},
    {"tools": [shell("python3 -m compileall -q src && sleep 1.5")], "delay": 1, "usage": USAGE},
    {"tools": [shell("test -s tests/test_cli.py"), todo("completed", "completed", "completed", "completed")], "usage": USAGE},
    {"text": "Added `--verbose`: it prints the arguments before everything else. The test is in tests/test_cli.py, and it passes.",
     "delay": 1, "usage": USAGE}]}

FAILED = {"pause": 0.05, "retrySeconds": 0.4, "turns": [
    {"text": "I will look at the build first.", "tools": [shell("make"), todo("completed", "in_progress", "pending", "pending")], "delay": 1, "usage": USAGE},
    {"status": 429, "body": {"error": {"message": "Rate limit reached for requests"}}},
    {"status": 429, "body": {"error": {"message": "Rate limit reached for requests"}}},
    {"tools": [edit("src/cli.py", "    print(sys.argv)\n", VERBOSE), shell("sleep 1; python3 -m pytest_missing")], "usage": USAGE},
    {"text": "The checks don't pass yet.", "tools": [shell("cat src/missing.py")], "delay": 1, "usage": USAGE},
    {"status": 401, "body": {"error": {"message": "Invalid API key"}}}]}


HUGE = {"pause": 0.05, "retrySeconds": 0.4, "turns": [
    {"text": "I will generate the tables first.", "tools": [
        todo("completed", "in_progress", "pending", "pending"), edit("src/cli.py", "    print(sys.argv)\n", VERBOSE),
        shell("for d in $(seq 120); do mkdir -p tables/$d; for f in $(seq 100); do echo \"$d,$f\" > tables/$d/$f.csv; done; done")],
     "usage": USAGE},
    {"status": 429, "body": {"error": {"message": "Rate limit reached for requests"}}},
    {"tools": [shell("test -s src/cli.py && sleep 2"), shell("cat src/missing.py")], "usage": USAGE},
    {"text": "All tables are there. The checks don't pass yet.", "tools": [shell("python3 -m pytest_missing")], "delay": 1, "usage": USAGE},
    {"text": "12,000 tables are generated; one check fails.", "usage": USAGE}]}


def lengthen(log, size):
    """Makes a log as long as one of many hours: the run's own lines again and again, at times within the run."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    first, last = lines[0]["timestamp"], lines[-1]["timestamp"]
    tools = [line for line in lines if line["type"] == "tool_use" and line["part"]["tool"] in ("bash", "edit")]
    texts = [line for line in lines if line["type"] in ("text", "step_finish")]
    pattern = [tools[0]] * 2 + [tools[1]] * 17 + texts[:2] + [tools[-1]] + texts[1:2]
    count = size // sum(len(json.dumps(line)) + 18_000 for line in pattern)
    with log.open("a") as file:
        for number in range(count * len(pattern)):
            line = json.loads(json.dumps(pattern[number % len(pattern)]))
            at = first + (last - first) * number // (count * len(pattern))
            line["timestamp"], line["part"]["id"] = at, f"prt_{number}"
            if line["type"] == "tool_use":
                line["part"]["state"]["time"] = {"start": at, "end": at + 1}
                line["part"]["state"]["output"] = "x" * 20_000
            file.write(json.dumps(line) + "\n")
        # What was last stays last.
        file.write(json.dumps(lines[-2] | {"timestamp": last}) + "\n")


class World:
    def __init__(self, binary, name):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix=f"pictures-{name}-"))
        self.binary = binary
        self.repository = self.root / "project"
        for folder in ["bin", "home", "project/src", "project/tests"]:
            (self.root / folder).mkdir(parents=True)
        (self.root / "bin/opencode").symlink_to(binary)
        (self.repository / "src/cli.py").write_text(CLI)
        (self.repository / ".gitignore").write_text("__pycache__/\n")
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LANG": "C.UTF-8", "TZ": "Europe/Zurich",
                            "OPENCODE_WORKER_STATE_DIR": str(self.root / "state"), "OPENCODE_BIN": str(self.root / "bin/opencode")}
        for words in [["init", "-q", "-b", "main"], ["add", "."], ["-c", "user.name=T", "-c", "user.email=t@localhost", "commit", "-qm", "Begin"]]:
            subprocess.run(["git"] + words, cwd=self.repository, env=self.environment, check=True)

    def worker(self, *words):
        return subprocess.run([self.binary, *words], cwd=self.repository, env=self.environment, capture_output=True, text=True)

    def delegate(self, script, checks=()):
        (self.root / "bin/stand-in.json").write_text(json.dumps(script))
        task = {"message": "Add a --verbose option to the command line, with a test.\nKeep the output as it is without it.", "cwd": str(self.repository),
                "title": "Add a --verbose option", "model": "stand-in/m1", "verificationCommands": list(checks),
                "acceptanceCriteria": ["--verbose prints the arguments", "without it nothing changes"]}
        reply = self.worker("call", "run_and_wait", json.dumps(task))
        run = json.loads(reply.stdout)["run"]
        while json.loads(self.worker("call", "wait", json.dumps({"run": run})).stdout).get("running"):
            pass
        return run

    def end(self):
        shutil.rmtree(self.root, ignore_errors=True)


def shoot(page, name, size, dark=False):
    target = HERE / name
    words = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", f"--screenshot={target}", f"--window-size={size}"]
    subprocess.run(words + (["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []) + [f"file://{page}"], check=True, capture_output=True, timeout=120)
    print(f"{name}: {target.stat().st_size} bytes")


def reports(binary):
    wanted = sys.argv[2:]
    for name, script, checks in [("good", GOOD, ["test -s tests/test_cli.py"]),
                                 ("failed", FAILED, ["make", "python3 -m pytest_missing"]),
                                 ("huge", HUGE, ["test -s src/cli.py", "python3 -m pytest_missing"])]:
        if wanted and name not in wanted:
            continue
        world = World(binary, name)
        run = world.delegate(script, checks=checks)
        if name == "huge":
            lengthen(world.root / "state/runs" / run / "events.jsonl", 100_000_000)
        page = world.root / "page.html"
        print(world.worker("report", run, "-o", str(page)).stdout)
        print(f"{name}: {page.stat().st_size} bytes of HTML")
        shoot(page, f"report-{name}.png", "1000,1350")
        if name == "good":
            shoot(page, "report-good-dark.png", "1000,1350", dark=True)
        if name == "failed":
            shoot(page, "report-failed-phone.png", "500,1500")
        world.end()


if __name__ == "__main__":
    reports(str(pathlib.Path(sys.argv[1]).resolve()))
