#!/usr/bin/env python3
"""Records what an OpenCode binary prints when a scripted model plays the scenarios of scenarios.json. Standard library only.

usage: record.py --opencode PATH (--out DIR | --compare) [--only NAME]... [--keep]
       record.py --list
--out DIR    writes DIR/VERSION/NAME.json, a scenario each
--compare    writes nothing; says of each scenario whether it is what Tests/Fixtures/recordings/VERSION holds, ids, times and ports apart.
             Exits with 1 when one differs or has no recording.
--only NAME  this scenario (and what follows it); may be given again
--keep       leaves the temporary folder (HOME, workspaces) and names it
--list       the scenarios, with the generations each is for

A scenario (members that are not given have the value behind the name):
  name          the recording's name, with a folder before it where it has one: sessions/length
  generations   [1, 2]   of OpenCode
  run           what follows `run --format json --dir WORKSPACE` (2.x: `run --standalone --format json`); or
  arguments     the whole command line
  turns         []       the model's script (scripted_model.py); {"1": [...], "2": [...]} where tools have other names
  stdin         null     /dev/null; a text; {"open": true}: a pipe that says nothing and isn't closed
  env           {}       added to the environment
  config        {}       merged into OPENCODE_CONFIG_CONTENT; a text: that instead
  files         hello.txt with two lines     the workspace, committed before the run; those of `untracked` come after the commit
  git           true     false: a folder without git
  workspace     the last part of the name    the workspace's folder
  home_files    {}       files in HOME
  signal        null     {"name": "SIGTERM", "after": "text"}: sent when an event of that type came, the `count`th one (1);
                         after a number: after so many seconds
  timeout       120      seconds, then SIGKILL, and `timed_out` is true
  close_stdout  false    true: the reader of stdout goes away after the first line
  then          []       scenarios that follow in the same HOME and workspace
  meanwhile     []       the same, started `after` seconds after this one
  note          none     kept in the recording
{ws} is the workspace, {root} the temporary folder, {session} the first session id that this scenario's predecessor printed (the run's own),
{child} the first one that is not it. They are filled in in arguments, turns, stdin, env and
file contents.
"""
import argparse
import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from scripted_model import ScriptedModel, opencode_config  # noqa: E402

RECORDINGS = os.path.dirname(HERE)
WORKSPACE = {"hello.txt": "hello\nworld\n"}
PERSON = {"GIT_%s_%s" % (role, part): text for role in ("AUTHOR", "COMMITTER")
          for part, text in (("NAME", "Recorder"), ("EMAIL", "recorder@example.invalid"), ("DATE", "2026-01-01T00:00:00Z"))}
PERSON.update({"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"})
KNOWN = {"name", "generations", "run", "arguments", "turns", "stdin", "env", "config", "files", "untracked", "git", "workspace", "home_files", "signal",
         "timeout", "close_stdout", "then", "meanwhile", "after", "note"}
SESSION = re.compile(r"ses_[0-9A-Za-z]+")


def all_scenarios(scenarios):
    for scenario in scenarios:
        yield scenario
        yield from all_scenarios(scenario.get("meanwhile", []))
        yield from all_scenarios(scenario.get("then", []))


def load_scenarios():
    with open(os.path.join(HERE, "scenarios.json")) as file:
        scenarios = json.load(file)
    for scenario in all_scenarios(scenarios):
        unknown = set(scenario) - KNOWN
        if unknown or ("run" in scenario) == ("arguments" in scenario):
            sys.exit("scenarios.json: %s: %s" % (scenario.get("name"), "unknown: %s" % sorted(unknown) if unknown else "needs either run or arguments"))
    return scenarios


class Recorder:
    """One OpenCode binary, one scripted model, one temporary folder."""

    def __init__(self, binary):
        self.binary = os.path.abspath(binary)
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="opencode-recorder-"))
        self.model = ScriptedModel()
        os.makedirs(self.path("home"))
        os.makedirs(self.path("tmp"))
        self.version, self.generation = self.ask_version()
        self.template = self.warmed_home()

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def close(self, keep):
        self.model.close()
        if keep:
            print("kept: " + self.root)
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def ask_version(self):
        """`1.18.34` of 1.x; `opencode v2.0.22` and `opencode2 v0.0.0-beta-N` of 2.x."""
        said = subprocess.run([self.binary, "--version"], env=self.environment({}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.decode().strip()
        found = re.fullmatch(r"(opencode2? v)?(\d+)(\.\d+\.\d+\S*)", said)
        if not found:
            sys.exit("%s --version printed %r, which is no version" % (self.binary, said))
        return found[2] + found[3], 2 if found[1] or int(found[2]) >= 2 else 1

    def warmed_home(self):
        """A HOME in which OpenCode has made its database, so that no scenario says "Performing one time database migration"."""
        command = ["session", "list"] if self.generation == 1 else ["api", "--standalone", "GET", "/api/config"]
        subprocess.run([self.binary, *command], env=self.environment({}), cwd=self.path("tmp"), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        template = self.path("home-template")
        shutil.copytree(self.path("home"), template, symlinks=True)
        return template

    def environment(self, added):
        home = self.path("home")
        env = {key: os.environ[key] for key in ("LANG", "LC_ALL", "TZ") if key in os.environ}
        env.update(PERSON)
        env.update({
            "PATH": os.path.dirname(self.binary) + os.pathsep + os.environ.get("PATH", "/usr/bin:/bin"), "HOME": home, "PWD": self.path("tmp"),
            "XDG_CONFIG_HOME": home + "/.config", "XDG_DATA_HOME": home + "/.local/share", "XDG_STATE_HOME": home + "/.local/state",
            "XDG_CACHE_HOME": home + "/.cache", "OPENCODE_CONFIG_CONTENT": json.dumps(opencode_config(self.model.port)), "OPENCODE_AUTH_CONTENT": "{}",
            "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        })
        env.update(added)
        return env

    def git(self, folder, *arguments):
        done = subprocess.run(["git", "-C", folder, *arguments], env=self.environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit("git %s: %s" % (" ".join(arguments), done.stderr.decode()))
        return done.stdout.decode("utf-8", "replace")

    def make_workspace(self, scenario, folder, fill):
        os.makedirs(folder)
        write_files(folder, scenario.get("files", WORKSPACE), fill)
        if scenario.get("git", True):
            self.git(folder, "init", "-q", "-b", "main")
            self.git(folder, "add", "-A")
            self.git(folder, "commit", "-q", "--allow-empty", "-m", "first")
        write_files(folder, scenario.get("untracked", {}), fill)

    def record(self, scenario):
        """Records a scenario and what follows it in a HOME of their own: yields (name, recording)."""
        shutil.rmtree(self.path("home"))
        shutil.copytree(self.template, self.path("home"), symlinks=True)
        folder = self.path("ws", scenario.get("workspace", scenario["name"].split("/")[-1]))
        shutil.rmtree(folder, ignore_errors=True)
        known = {"root": self.root, "ws": folder}
        fill = lambda text: re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], m[0]), text)  # noqa: E731
        self.make_workspace(scenario, folder, fill)
        write_files(self.path("home"), scenario.get("home_files", {}), fill)
        yield from self.follow(scenario, folder, known, fill)

    def follow(self, scenario, folder, known, fill):
        beside = []

        def aside(other):
            beside.append((other["name"], self.run(other, folder, fill)))

        def find_session(text):
            found = SESSION.search(text)
            if found and "session" not in known:
                known["session"] = found[0]

        waiting = [threading.Timer(other.get("after", 0), aside, [other]) for other in scenario.get("meanwhile", [])]
        for timer in waiting:
            timer.start()
        recording = self.run(scenario, folder, fill, seen=find_session)
        for timer in waiting:
            timer.join()
        printed = recording["stdout"] or ""
        find_session(printed)
        others = [found for found in SESSION.findall(printed) if found != known.get("session")]
        if others:
            known["child"] = others[0]
        yield scenario["name"], recording
        yield from beside
        for other in scenario.get("then", []):
            if self.generation in other.get("generations", [1, 2]):
                yield from self.follow(other, folder, known, fill)

    def run(self, scenario, folder, fill, seen=lambda text: None):
        generation = str(self.generation)
        turns = scenario.get("turns", [])
        if turns or "after" not in scenario:
            chosen = turns.get(generation, []) if isinstance(turns, dict) else turns
            self.model.play(json.loads(fill(json.dumps(chosen))))
        arguments = scenario.get("arguments")
        if arguments is None:
            start = ["run", "--format", "json", "--dir", "{ws}"] if self.generation == 1 else ["run", "--standalone", "--format", "json"]
            arguments = start + scenario["run"]
        arguments = [fill(text) for text in arguments]
        added = {key: fill(text) for key, text in scenario.get("env", {}).items()}
        if "config" in scenario:
            config = scenario["config"]
            added["OPENCODE_CONFIG_CONTENT"] = config if isinstance(config, str) else json.dumps(merged(opencode_config(self.model.port), config))
        stdin = scenario.get("stdin")
        done = self.spawn(arguments, {"PWD": folder, **added}, folder, fill(stdin) if isinstance(stdin, str) else stdin, scenario, seen)
        status = self.git(folder, "status", "--porcelain") if os.path.isdir(os.path.join(folder, ".git")) else None
        plain = lambda text: None if text is None else text.replace(self.root, "/work-root").replace(self.root[1:], "work-root")  # noqa: E731
        recording = {
            "name": scenario["name"].split("/")[-1], "argv": [plain(text) for text in arguments], "stdin": stdin if isinstance(stdin, str) else None,
            "signal_sent": (scenario.get("signal") or {}).get("name"), "timed_out": done["timed_out"], "exit": done["exit"], "seconds": done["seconds"],
            "stdout": None if scenario.get("close_stdout") else plain(done["stdout"]), "stderr": plain(done["stderr"]), "git_status_after": status,
            "model_requests": self.model.requests if turns or "after" not in scenario else 0,
            "env": {key: plain(text) for key, text in added.items()} or None,
        }
        if "note" in scenario:
            recording["note"] = scenario["note"]
        return recording

    def spawn(self, arguments, env, folder, stdin, scenario, seen):
        open_stdin = isinstance(stdin, dict)
        began = time.monotonic()
        errors = tempfile.TemporaryFile(dir=self.root)
        process = subprocess.Popen(
            [self.binary, *arguments], env=self.environment(env), cwd=folder, stderr=errors, stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE, start_new_session=True)
        lines, awaited = [], [(scenario.get("signal") or {}).get("count", 1)]

        def send():
            try:
                process.send_signal(getattr(signal, scenario["signal"]["name"]))
            except ProcessLookupError:
                pass

        def read():
            for line in process.stdout:
                lines.append(line)
                seen(line.decode("utf-8", "replace"))
                if scenario.get("close_stdout"):
                    break
                wanted = (scenario.get("signal") or {}).get("after")
                if isinstance(wanted, str) and event_type(line) == wanted:
                    awaited[0] -= 1
                    if awaited[0] == 0:
                        send()
            process.stdout.close()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        after = (scenario.get("signal") or {}).get("after")
        if isinstance(after, (int, float)):
            timer = threading.Timer(after, send)
            timer.daemon = True
            timer.start()
        if stdin is not None and not open_stdin:
            feed(process.stdin, stdin)
        timed_out = False
        try:
            process.wait(timeout=scenario.get("timeout", 120))
        except subprocess.TimeoutExpired:
            timed_out = True
            process.kill()
            process.wait()
        seconds = round(time.monotonic() - began, 2)
        if open_stdin:
            process.stdin.close()
        reader.join(timeout=5)  # What the run left behind may hold stdout open.
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
        errors.close()
        return {"exit": process.returncode, "timed_out": timed_out, "seconds": seconds, "stderr": said,
                "stdout": b"".join(lines).decode("utf-8", "replace")}


def merged(into, added):
    """Two JSON objects in one, objects inside them likewise."""
    both = dict(into)
    for key, value in added.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def feed(pipe, text):
    try:
        pipe.write(text.encode())
        pipe.close()
    except BrokenPipeError:
        pass


def event_type(line):
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event.get("type") if isinstance(event, dict) else None


def write_files(folder, files, fill):
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(fill(text))


# What differs between two recordings of the same scenario by the same binary, and says nothing.
PASSING = [
    (r"\b(?:ses|msg|prt|per|call|err|sh|evt|usr)_[0-9A-Za-z_]+", "id"),
    (r"\b1[0-9]{12}\b", "ms"), (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "time"), (r"\brun=[0-9a-f]{8}\b", "run"), (r"127\.0\.0\.1:\d+", "address"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]+ GMT", "date"), (r"BaseHTTP/[\d.]+ Python/[\d.]+", "server"),
    (r'"slug": ?"[^"]*"', "slug"), (r'"projectID": ?"[^"]*"|"projectId": ?"[^"]*"', "project"), (r"\d+:\d\d [AP]M", "clock"),
]
# OpenCode 1.x installs its plugin package in the background; whether that works depends on the network.
NETWORK = 'message="background dependency install failed"'
PASSING_EXPRESSION = re.compile("|".join("(?P<%s>%s)" % (name, expression) for expression, name in PASSING))


def without_passing(recording):
    """A recording as lines of text; ids are numbered in their order, so that the same id stays the same."""
    numbers = {}

    def replaced(match):
        kind = match.lastgroup
        if kind != "id":
            return "<%s>" % kind
        number = 0 if recording.get("timed_out") else numbers.setdefault(match[0], len(numbers) + 1)
        return "<%s %d>" % (match[0].split("_")[0], number)

    # How often a run that was ended after a while had repeated itself depends on the moment.
    passing = {"seconds", "note"} | ({"model_requests"} if recording.get("timed_out") else set())
    kept = {key: value for key, value in recording.items() if key not in passing}
    lines = []
    for key in sorted(kept):
        text = kept[key] if isinstance(kept[key], str) else json.dumps(kept[key], ensure_ascii=False)
        lines += ["%s: %s" % (key, line) for line in PASSING_EXPRESSION.sub(replaced, text).splitlines() if NETWORK not in line]
    return [line for index, line in enumerate(lines) if not (recording.get("timed_out") and index and line == lines[index - 1])]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\nA scenario")[0])
    parser.add_argument("--opencode", default=os.environ.get("OPENCODE_BIN") or shutil.which("opencode"))
    parser.add_argument("--out")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    scenarios = load_scenarios()
    names = {scenario["name"] for scenario in all_scenarios(scenarios)}
    if args.list:
        for scenario in all_scenarios(scenarios):
            print("%-32s %s" % (scenario["name"], " ".join("%d.x" % generation for generation in scenario.get("generations", [1, 2]))))
        return
    if not set(args.only) <= names:
        sys.exit("no such scenario: %s; --list names them" % ", ".join(sorted(set(args.only) - names)))
    if not args.opencode or not os.path.exists(args.opencode):
        sys.exit("no OpenCode: give --opencode PATH")
    if bool(args.out) == args.compare:
        sys.exit("give either --out DIR or --compare")
    recorder, different = Recorder(args.opencode), 0
    try:
        print("OpenCode %s, generation %d" % (recorder.version, recorder.generation))
        for scenario in scenarios:
            own = {one["name"] for one in all_scenarios([scenario])}
            if recorder.generation not in scenario.get("generations", [1, 2]) or (args.only and not own & set(args.only)):
                continue
            for name, recording in recorder.record(scenario):
                different += not (compare if args.compare else write)(args.out, recorder.version, name, recording)
    finally:
        recorder.close(args.keep)
    sys.exit(1 if different else 0)


def write(out, version, name, recording):
    path = os.path.join(out, version, name + ".json")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(recording, file, indent=1, ensure_ascii=False)
    print("%-32s exit %d, %.2f s, %d requests" % (name, recording["exit"], recording["seconds"], recording["model_requests"]), flush=True)
    return True


def compare(_, version, name, recording):
    path = os.path.join(RECORDINGS, version, name + ".json")
    if not os.path.exists(path):
        print("%-32s has no recording of %s" % (name, version), flush=True)
        return False
    with open(path) as file:
        old, new = without_passing(json.load(file)), without_passing(recording)
    print("%-32s %s" % (name, "equivalent" if old == new else "differs"), flush=True)
    for line in difflib.unified_diff(old, new, "recorded", "now", lineterm="", n=0):
        print("    " + line[:400], flush=True)
    return old == new


if __name__ == "__main__":
    main()
