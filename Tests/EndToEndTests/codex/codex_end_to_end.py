#!/usr/bin/env python3
"""The real Codex CLI with a scripted model, this server, and the real OpenCode with a scripted model of its own, or the stand-in: nothing leaves
loopback.

usage: codex_end_to_end.py [-v] [Class[.test]...]
Needs: the Codex CLI (CODEX_BIN, the package codex_cli_bin, or codex on PATH), the built server (OPENCODE_WORKER_BIN, else .build), and the two
helpers ../shared/codex/codex_drive.py and ../shared/opencode/with_opencode.py beside the repository. What is missing is said, and skipped.
"""
import concurrent.futures
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SHARED = os.path.join(os.path.dirname(REPOSITORY), "shared")
WAIT = 150


def codex_binary():
    if os.environ.get("CODEX_BIN"):
        return os.environ["CODEX_BIN"]
    try:
        import codex_cli_bin
        return os.path.join(os.path.dirname(codex_cli_bin.__file__), "bin", "codex")
    except ImportError:
        return shutil.which("codex")


def worker_binary():
    candidates = [os.environ.get("OPENCODE_WORKER_BIN")] + [os.path.join(REPOSITORY, ".build", kind, "opencode-worker") for kind in ("release", "debug")]
    return next((os.path.realpath(c) for c in candidates if c and os.access(c, os.X_OK)), None)


def codex_version(binary):
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=60).stdout
    except OSError:
        return ()
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(n) for n in found.groups()) if found else ()


CODEX, WORKER = codex_binary(), worker_binary()
VERSION = codex_version(CODEX) if CODEX else ()
# Older ones refuse a configuration with features.code_mode as a table; their models know no code mode.
TAKES_NAMESPACES = VERSION >= (0, 144, 4)
HAS_CODE_MODE = VERSION >= (0, 154, 0)
MISSING = []
if not CODEX:
    MISSING.append("no Codex CLI: set CODEX_BIN")
if not WORKER:
    MISSING.append("the server is not built: swift build")
sys.path[:0] = [os.path.join(SHARED, "codex"), os.path.join(SHARED, "opencode")]
try:
    import codex_drive
except ImportError:
    codex_drive = None
    MISSING.append("no ../shared/codex/codex_drive.py")
try:
    import with_opencode
    from scripted_model import ScriptedModel
except ImportError:
    with_opencode = None

APPROVED_TOOLS = ("opencode_run_and_wait", "opencode_start")
WRITES_A_FILE = [
    {"text": "I will add the file.", "tools": [{"name": "write", "arguments": {"filePath": "greeting.txt", "content": "hello\n"}}]},
    {"tools": [{"name": "bash", "arguments": {"command": "test -s greeting.txt", "description": "Checks the file"}}]},
    {"text": "Added greeting.txt; the check passed."},
]
TASK = {"message": "Add greeting.txt", "acceptanceCriteria": ["greeting.txt says hello"], "verificationCommands": ["test -s greeting.txt"]}
PRAGMA = '// @exec: {"yield_time_ms": 3600000}\n'


def code_script(arguments):
    """A step of a model in code mode: the script waits for a delegation's reply, however long it takes."""
    return {"js": PRAGMA + 'const name = ALL_TOOLS.map(t => t.name).find(n => n.endsWith("__opencode_run_and_wait"));\n'
                           'text(JSON.stringify(await tools[name](%s)));' % json.dumps(arguments)}


def structured(call):
    """The JSON that the model was shown for a call."""
    shown = call["shown"]
    text = shown if isinstance(shown, str) else "\n".join(part.get("text", "") for part in shown or [])
    found = re.search(r"Output:\n(\{.*\})\s*$", text, re.S)
    if not found:
        raise AssertionError("no JSON was shown, but: %s" % text[:2000])
    return json.loads(found.group(1))


def offered_by_search(call):
    """Names of our tools in the answer of Codex's tool search, best first."""
    return [t["name"] for space in call["shown"] if "opencode_worker" in space.get("name", "") for t in space.get("tools", [])]


class CodexCase(unittest.TestCase):
    """A home of its own, a git repository to work in."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="codex-e2e-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.home = os.path.join(self.root, "home")
        self.codex_home = os.path.join(self.root, "codex-home")
        os.makedirs(self.home)
        os.makedirs(self.codex_home)
        # Codex makes an empty `.git` in a writable folder that has none, and that would be the folder of other tests too.
        self.scratch = os.path.join(self.root, "tmp")
        os.makedirs(self.scratch)
        self.config = os.path.join(self.codex_home, "config.toml")
        self.repository = self.make_repository("work")
        self.extra = {}

    def make_repository(self, name):
        path = os.path.join(self.root, name)
        os.makedirs(path)
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", "init", "-q", path], check=True)
        with open(os.path.join(path, "README"), "w") as f:
            f.write("a repository\n")
        subprocess.run(["git", "-C", path, "add", "README"], check=True)
        subprocess.run(["git", "-C", path, *identity, "commit", "-qm", "first"], check=True)
        return os.path.realpath(path)

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("CODEX_", "OPENAI_", "OPENCODE_", "XDG_"))}
        env.update(TMPDIR=self.scratch, HOME=self.home, CODEX_HOME=self.codex_home, PATH=os.path.dirname(CODEX) + os.pathsep + os.environ["PATH"], **codex_drive.OFFLINE)
        env.update(self.extra)
        return env

    def stand_in(self, turns):
        """What the stand-in OpenCode does from now on; the form of its turns is the scripted model's."""
        self.bin = os.path.join(self.root, "bin")
        os.makedirs(self.bin, exist_ok=True)
        program = os.path.join(self.bin, "opencode")
        if not os.path.lexists(program):
            os.symlink(WORKER, program)
        with open(os.path.join(self.bin, "stand-in.json"), "w") as f:
            json.dump({"turns": turns}, f)
        self.extra["OPENCODE_BIN"] = program

    def worker(self, *arguments, status=0):
        done = subprocess.run([WORKER, *arguments], env=self.environment(), capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout + (done.stderr if status else "")

    def codex(self, *arguments, status=0):
        done = subprocess.run([CODEX, *arguments], env=self.environment(), capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def drive(self, steps, *, install=("install", "--enable"), approve=True, model="mock-model", sandbox="workspace-write", workdir=None, **more):
        def pre(root, env):
            self.worker(*install)
            if "--enable" not in install and "--direct" not in install:
                self.codex("plugin", "add", "opencode-worker@personal")
            if not approve:
                return
            table = 'mcp_servers.opencode-worker' if "--direct" in install else 'plugins."opencode-worker@personal".mcp_servers.opencode-worker'
            with open(self.config, "a") as f:
                for tool in APPROVED_TOOLS:
                    f.write('\n[%s.tools.%s]\napproval_mode = "approve"\n' % (table, tool))

        result = codex_drive.drive(None, steps, codex=CODEX, model=model, root=self.root, home=self.home, workdir=workdir or self.repository,
                                   env=self.environment(), pre=pre, sandbox=sandbox, timeout=WAIT, **more)
        self.assertFalse(result["timed_out"], result["stderr"])
        return result

    def read_config(self):
        with open(self.config) as f:
            return f.read()


class SetUp(CodexCase):
    """What needs Codex, but neither a run nor OpenCode."""

    def test_the_plugin_is_installed_enabled_and_taken_back(self):
        text = self.worker("install", "--enable")
        self.assertIn("codex plugin add opencode-worker@personal", text)
        server = json.loads(self.codex("mcp", "get", "opencode-worker", "--json"))
        self.assertEqual(server["tool_timeout_sec"], 3600)
        self.assertLess(int(server["transport"]["env"]["OPENCODE_WORKER_WAIT_SECONDS"]), 3600)
        self.assertIn("XDG_CONFIG_HOME", server["transport"]["env_vars"])
        copy = os.path.join(server["transport"]["cwd"], server["transport"]["command"])
        with open(copy, "rb") as a, open(WORKER, "rb") as b:
            self.assertEqual(a.read(), b.read())
        checks = {c["text"]: c for c in json.loads(self.doctor())["checks"] if c["name"] in ("codex", "set-up", "timeout")}
        self.assertTrue(all(c["verdict"] == "ok" for c in checks.values()), checks)
        self.assertIn("as a plugin", checks)
        self.worker("install", "--enable")
        self.worker("uninstall")
        self.codex("mcp", "get", "opencode-worker", status=1)
        self.assertFalse(os.path.exists(os.path.join(self.home, ".agents")))
        self.assertNotIn("opencode-worker", self.read_config())

    def doctor(self):
        done = subprocess.run([WORKER, "doctor", "--json"], env=self.environment(), capture_output=True, text=True, timeout=WAIT)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.stdout

    def test_the_direct_entry_survives_codex_rewriting_the_file(self):
        before = 'model = "m" # mine\n\n[mcp_servers.first]\ncommand = "/bin/true"'
        with open(self.config, "w") as f:
            f.write(before)
        self.worker("install", "--direct")
        self.worker("uninstall")
        self.assertEqual(self.read_config(), before)
        self.worker("install", "--direct")
        self.codex("mcp", "add", "second", "--", "/bin/true")
        self.worker("install", "--direct")
        server = json.loads(self.codex("mcp", "get", "opencode-worker", "--json"))
        self.assertEqual(server["transport"]["command"], WORKER)
        with open(self.config, "a") as f:
            f.write('\n[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = "approve"\n')
        self.codex("mcp", "list")
        self.worker("uninstall")
        names = [s["name"] for s in json.loads(self.codex("mcp", "list", "--json"))]
        self.assertEqual(sorted(names), ["first", "second"])
        self.assertNotIn("opencode-worker", self.read_config())

    def test_codex_takes_the_example_configuration(self):
        with open(os.path.join(REPOSITORY, "config.example.toml")) as f:
            text = re.sub(r"(?m)^# (\[|approval_mode = |enabled_tools = |direct_only|type = |command = |matcher = |async = |timeout = )", r"\1", f.read())
        with open(self.config, "w") as f:
            f.write(text if TAKES_NAMESPACES else re.sub(r"(?m)^(\[features\.code_mode\]|direct_only_.*)$", r"# \1", text))
        server = json.loads(self.codex("mcp", "get", "opencode-worker", "--json"))
        self.assertEqual(server["transport"]["command"], "/usr/local/bin/opencode-worker")
        self.assertEqual(server["tool_timeout_sec"], 3600)
        self.assertIn("opencode_run_and_wait", server["enabled_tools"])
        self.assertIn("SSH_AUTH_SOCK", server["transport"]["env_vars"])
        self.assertIn("not written", self.worker("install", "--direct", status=1))

    def test_a_killed_install_leaves_nothing_half_written(self):
        before = 'model = "m"\n'
        plugin = os.path.join(self.home, ".agents", "plugins", "opencode-worker")
        binary = os.path.join(plugin, "bin", "opencode-worker")
        hits = 0
        for number in range(40):
            with open(self.config, "w") as f:
                f.write(before)
            arguments = ["install", "--direct"] if number % 2 else ["install"]
            process = subprocess.Popen([WORKER, *arguments], env={**self.environment(), "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL)
            try:
                process.wait(random.random() * 0.12)
            except subprocess.TimeoutExpired:
                process.kill()
                hits += 1
            process.wait()
            text = self.read_config()
            self.assertTrue(text == before or text.startswith(before) and text.endswith("# <<< opencode-worker <<<\n"), text)
            if os.path.exists(plugin):
                self.assertEqual(os.path.getsize(binary), os.path.getsize(WORKER))
                self.assertTrue(os.path.exists(os.path.join(plugin, ".mcp.json")))
            listed = os.path.join(self.home, ".agents", "plugins", "marketplace.json")
            if os.path.exists(listed):
                with open(listed) as f:
                    self.assertEqual([p["name"] for p in json.load(f)["plugins"]], ["opencode-worker"])
        self.assertGreater(hits, 3, "no install was killed in time to show anything")
        self.worker("install")
        self.worker("install", "--direct")
        self.worker("uninstall")
        self.assertFalse(os.path.exists(os.path.join(self.home, ".agents")), subprocess.getoutput("find '%s'" % self.home))
        self.assertEqual(self.read_config(), before)
        self.assertEqual([name for name in os.listdir(self.codex_home) if name.endswith(".tmp")], [])

    def test_a_file_that_codex_refuses_is_restored(self):
        before = 'model = 7\n'
        with open(self.config, "w") as f:
            f.write(before)
        self.assertIn("Codex says", self.worker("install", "--direct", status=1))
        self.assertEqual(self.read_config(), before)


@unittest.skipUnless(with_opencode, "no ../shared/opencode/with_opencode.py")
class Delegation(CodexCase):
    """Codex, the server and the real OpenCode together."""

    def play(self, turns):
        model = ScriptedModel(turns)
        opencode_home = os.path.join(self.root, "opencode-home")
        os.makedirs(opencode_home, exist_ok=True)
        env = with_opencode.environment(with_opencode.unpacked(), opencode_home, model.port)
        self.extra.update({k: v for k, v in env.items() if k.startswith(("OPENCODE_", "XDG_"))})

    def delegate(self, arguments=TASK, **more):
        result = self.drive([[{"tool": "opencode_run_and_wait", "arguments": arguments}], {"final": "done"}], **more)
        return structured(result["calls"][0])

    def assert_delegated(self, reply, folder):
        self.assertEqual(reply["state"], "completed", reply)
        self.assertFalse(reply["running"])
        self.assertEqual(reply["cwd"], folder)
        self.assertIn("greeting.txt", json.dumps(reply["changedFiles"]))
        self.assertEqual([row["result"] for row in reply["verification"]["declared"]], ["passed"], reply)
        self.assertLess(len(json.dumps(reply)), 8192)
        with open(os.path.join(folder, "greeting.txt")) as f:
            self.assertEqual(f.read(), "hello\n")

    def test_through_the_plugin_with_a_plain_request(self):
        self.play(WRITES_A_FILE)
        result = self.drive([
            [{"tool_search": {"query": "delegate this to OpenCode"}}],
            [{"tool": "opencode_run_and_wait", "arguments": TASK}],
            {"final": "done"}], install=("install",), model="gpt-5.5")
        found = offered_by_search(result["calls"][0])
        # 0.133 offers the tools directly, and has nothing to search.
        if VERSION >= (0, 144, 4):
            self.assertIn("opencode_run_and_wait", found[:3], found)
        self.assert_delegated(structured(result["calls"][1]), self.repository)
        first = next(r["body"] for r in result["_mock"].requests if r["body"])
        self.assertIn("opencode-worker:opencode-worker: Delegate", json.dumps(first), "the skill is not listed")

    def test_in_code_mode(self):
        self.play(WRITES_A_FILE)
        result = self.drive([[code_script(TASK)], {"final": "done"}], install=("install",), model="gpt-6-astra", mode="code")
        self.assertIn("completed", json.dumps(result["calls"][0]["shown"]))
        self.assertTrue(os.path.exists(os.path.join(self.repository, "greeting.txt")))

    def test_through_the_direct_entry(self):
        self.play(WRITES_A_FILE)
        reply = self.delegate(install=("install", "--direct"))
        self.assert_delegated(reply, self.repository)
        self.worker("uninstall")
        self.assertNotIn("opencode-worker", self.read_config())
        self.codex("mcp", "list")

    def test_only_the_tools_that_act_need_approval(self):
        result = self.drive([[{"tool": name, "arguments": {}} for name in ("opencode_status", "opencode_runs")]
                             + [{"tool": name, "arguments": TASK} for name in APPROVED_TOOLS], {"final": "done"}], approve=False)
        status, runs, *acting = result["calls"]
        self.assertEqual(structured(status)["state"], "none")
        self.assertEqual(structured(runs)["runs"], [])
        for call in acting:
            self.assertIn("requires approval", json.dumps(call["shown"]))

    def test_the_run_works_in_the_threads_folder(self):
        self.play(WRITES_A_FILE)
        other = self.make_repository("another föld er")
        self.assert_delegated(self.delegate(workdir=other), other)
        self.assertFalse(os.path.exists(os.path.join(self.repository, "greeting.txt")))

    def test_a_run_outlives_codex_and_is_found_again(self):
        release = os.path.join(self.root, "release")
        hold = "while ! test -e %s; do sleep 0.1; done" % release
        self.play([{"tools": [{"name": "bash", "arguments": {"command": hold, "description": "Waits"}}]}] + WRITES_A_FILE)
        runs = os.path.join(self.home, ".local", "state", "codex-opencode-worker", "runs")

        def is_running():
            for name in os.listdir(runs) if os.path.isdir(runs) else []:
                log = os.path.join(runs, name, "events.jsonl")
                if os.path.exists(log):
                    return True
            return False

        killed = self.drive([[{"tool": "opencode_run_and_wait", "arguments": TASK}], {"final": "never"}], kill_when=is_running, kill_after=1,
                            kill_signal="KILL")
        self.assertEqual(killed["exit_code"], -signal.SIGKILL)
        status = structured(self.drive([[{"tool": "opencode_status", "arguments": {}}], DONE])["calls"][0])
        open(release, "w").close()
        waited = structured(self.drive([REVIEW, DONE])["calls"][0])
        self.assertEqual(status["run"], waited["run"])
        self.assertTrue(status["running"], status)
        self.assert_delegated(waited, self.repository)
        self.assertEqual(waited["exitCode"], 0)

    def test_a_read_only_sandbox_gets_a_read_only_run(self):
        self.play(WRITES_A_FILE)
        reply = self.delegate(sandbox="read-only")
        self.assertFalse(os.path.exists(os.path.join(self.repository, "greeting.txt")), reply)
        self.assertEqual(reply["changedFiles"]["files"], [], reply)
        self.play(WRITES_A_FILE)
        refused = self.delegate({**TASK, "permissions": "full"}, sandbox="read-only")
        self.assertEqual(refused["error"]["code"], "bad_argument", refused)
        self.extra["OPENCODE_WORKER_IGNORE_SANDBOX"] = "1"
        self.play(WRITES_A_FILE)
        self.assert_delegated(self.delegate(sandbox="read-only"), self.repository)

    def test_full_permissions_need_full_access_or_the_users_word(self):
        """`codex exec` asks nobody: in a sandbox that is no consent, and with full access none is needed."""
        full = {**TASK, "permissions": "full"}
        self.play(WRITES_A_FILE)
        refused = self.delegate(full)
        self.assertEqual(refused["error"]["code"], "consent_needed", refused)
        self.assertIn("OPENCODE_WORKER_ALLOW_FULL=1", refused["error"]["hint"])
        self.assertFalse(os.path.exists(os.path.join(self.repository, "greeting.txt")), "it ran all the same")
        self.assert_delegated(self.delegate(full, sandbox="danger-full-access"), self.repository)
        os.remove(os.path.join(self.repository, "greeting.txt"))
        self.play(WRITES_A_FILE)
        self.extra["OPENCODE_WORKER_ALLOW_FULL"] = "1"
        self.assert_delegated(self.delegate(full), self.repository)

    def test_each_thread_has_its_own_default_run(self):
        status = [{"tool": "opencode_status", "arguments": {}}]
        threads = []
        for _ in range(2):
            self.play([{"text": "Nothing to do."}])
            result = self.drive([[{"tool": "opencode_run_and_wait", "arguments": {"message": "look"}}], status, {"final": "done"}])
            first, second = (structured(call) for call in result["calls"])
            self.assertEqual(first["run"], second["run"])
            thread = next(e["thread_id"] for e in result["events"] if e.get("type") == "thread.started")
            threads.append((thread, first["run"]))
        self.assertNotEqual(threads[0][1], threads[1][1])
        for thread, run in threads:
            result = self.drive([status, {"final": "done"}], sandbox=None, codex_args=["resume", thread])
            self.assertEqual(structured(result["calls"][0])["run"], run)
        stranger = structured(self.drive([status, {"final": "done"}])["calls"][0])
        self.assertEqual(stranger["run"], threads[1][1])
        self.assertIn("not started by this conversation", " ".join(stranger["attention"]))


CALL = {"tool": "opencode_run_and_wait", "arguments": {"message": "Work."}}
START = {"tool": "opencode_start", "arguments": {"message": "Work."}}
SCRIPT = code_script({"message": "Work."})
REVIEW = [{"tool": "opencode_wait", "arguments": {}}]
DONE = {"final": "done"}
BYPASS = ["--dangerously-bypass-hook-trust"]


class Waiting(CodexCase):
    """What a wait costs, and how Codex comes back to a run: with the stand-in OpenCode, whose runs take as long as they are told to."""

    def setUp(self):
        super().setUp()
        self.runs_take(0)
        os.symlink(os.path.realpath(CODEX), os.path.join(self.bin, "codex"))
        self.extra["MOCK_API_KEY"] = "dummy"

    def runs_take(self, seconds):
        self.stand_in([{"delay": seconds, "text": "Done."}])

    def runs(self):
        folder = os.path.join(self.home, ".local", "state", "codex-opencode-worker", "runs")
        return sorted(os.path.join(folder, name) for name in os.listdir(folder)) if os.path.isdir(folder) else []

    def eventually(self, condition, seconds=WAIT):
        until = time.time() + seconds
        while time.time() < until:
            if condition():
                return True
            time.sleep(0.05)
        return False

    def hook_prompts(self, result):
        """What our Stop hook has told the model."""
        last = [r["body"] for r in result["_mock"].requests if r["body"]][-1]
        return [text for text in re.findall(r"<hook_prompt[^>]*>(.*?)</hook_prompt>", json.dumps(last)) if "opencode-worker" in text]

    # What a wait costs

    def test_a_run_of_75_seconds_is_one_request_and_one_for_its_reply(self):
        ways = [
            ("direct mode, plugin", ("install", "--enable"), "mock-model", "auto", [[CALL], DONE], 2),
            ("direct mode, entry", ("install", "--direct"), "mock-model", "auto", [[CALL], DONE], 2),
            ("tool search, plugin", ("install",), "gpt-5.5", "auto", [[{"tool_search": {"query": "delegate to OpenCode"}}], [CALL], DONE], 3),
            ("code mode, plugin", ("install", "--enable"), "gpt-6-astra", "direct", [[CALL], DONE], 2),
            ("code mode, entry", ("install", "--direct"), "gpt-6-astra", "direct", [[CALL], DONE], 2),
            ("code mode, plugin alone", ("install",), "gpt-6-astra", "code", [[SCRIPT], DONE], 2),
        ]
        if not HAS_CODE_MODE:
            ways.pop()

        def measure(way):
            name, install, model, mode, steps, expected = way
            case = Waiting()
            try:
                case.setUp()
                case.runs_take(75)
                result = case.drive(steps, install=install, model=model, mode=mode)
                self.assertIn("completed", json.dumps(result["calls"][-1]["shown"]), name)
                self.assertGreater(result["calls"][-1]["seconds"], 70, name)
                self.assertEqual(result["requests"], expected, name)
            finally:
                case.doCleanups()

        with concurrent.futures.ThreadPoolExecutor(len(ways)) as pool:
            for done in [pool.submit(measure, way) for way in ways]:
                done.result()

    # Hooks

    def test_a_turn_goes_on_with_the_review_of_its_run(self):
        for install in (("install", "--enable", "--hooks"), ("install", "--direct", "--hooks")):
            with self.subTest(install=install):
                self.runs_take(3)
                result = self.drive([[START], {"final": "started"}, REVIEW, DONE], install=install, codex_args=BYPASS)
                run = structured(result["calls"][0])["run"]
                self.assertEqual(result["requests"], 4)
                prompts = self.hook_prompts(result)
                self.assertEqual(len(prompts), 1, prompts)
                self.assertIn("review run %s: call opencode_wait" % run, prompts[0])
                self.assertEqual(structured(result["calls"][1])["state"], "completed")
                self.worker("uninstall")

    def test_nothing_is_said_of_a_reviewed_run(self):
        self.runs_take(0)
        result = self.drive([[CALL], DONE], install=("install", "--direct", "--hooks"), codex_args=BYPASS)
        self.assertEqual((result["requests"], self.hook_prompts(result)), (2, []))

    def test_hooks_that_are_not_trusted_are_silent(self):
        self.runs_take(0)
        result = self.drive([[START], DONE], install=("install", "--direct", "--hooks"))
        self.assertEqual(result["requests"], 2)

    def test_an_end_during_the_turn_is_told_in_it(self):
        self.runs_take(1)
        self.extra["OPENCODE_WORKER_STOP_HOOK"] = "off"
        for install in (("install", "--enable", "--hooks"), ("install", "--direct", "--hooks")):
            with self.subTest(install=install):
                result = self.drive([[START], [{"raw": "exec_command", "arguments": {"cmd": "sleep 9", "yield_time_ms": 20000}}], DONE],
                                    install=install, codex_args=BYPASS)
                run = structured(result["calls"][0])["run"]
                said = json.dumps([r["body"] for r in result["_mock"].requests if r["body"]][-1])
                self.assertIn("run %s ended: completed, 0 files; call opencode_wait" % run, said)
                self.worker("uninstall")

    def test_an_interrupt_ends_the_waiting_and_never_the_run(self):
        release = os.path.join(self.root, "release")
        self.stand_in([{"until": release, "text": "Done."}])
        app = AppServer(self, [[START], {"final": "started"}, REVIEW, DONE], ("--direct", "--hooks"), trust=True)
        thread = app.start_thread()
        turn = app.start_turn(thread)
        mark = lambda name: os.path.join(self.runs()[0], name)
        waits = lambda: self.runs() and os.path.exists(mark("stopping"))
        self.assertTrue(self.eventually(waits), "the hook writes first that it waits: %s" % [m.get("method") for m in app.messages])
        app.request("turn/interrupt", {"threadId": thread, "turnId": turn})
        self.assertTrue(self.eventually(lambda: app.count("turn/completed") == 1), [m.get("method") for m in app.messages])
        self.assertFalse(os.path.exists(mark("review.json")), "the run goes on")
        open(release, "w").close()
        self.assertTrue(self.eventually(lambda: os.path.exists(mark("review.json"))))
        self.assertFalse(os.path.exists(mark("reminded")))
        if VERSION >= (0, 163, 0):
            self.assertTrue(os.path.exists(mark("interrupted")), "Codex has called the hook of the interrupt")

    # The wake-up

    def test_the_end_of_a_run_wakes_an_app_server(self):
        self.runs_take(2)
        app = AppServer(self, [[START], {"final": "started"}, REVIEW, DONE], ("--direct", "--wake"))
        app.start_turn(app.start_thread())
        self.assertTrue(self.eventually(lambda: app.count("turn/completed") == 2), [m.get("method") for m in app.messages])
        self.assert_woken(app.mock)

    @unittest.skipUnless(shutil.which("tmux"), "no tmux")
    def test_the_end_of_a_run_wakes_a_tui(self):
        self.runs_take(2)
        mock = self.mock([[START], {"final": "started"}, REVIEW, {"final": "reviewed it"}])
        self.install_with(mock, ("--direct", "--wake"), top='approval_policy = "never"\nsandbox_mode = "workspace-write"')
        socket = "-Lcodex-%d-%d" % (os.getpid(), random.randrange(1 << 30))

        def tmux(*arguments):
            return subprocess.run(["tmux", socket, *arguments], env={**self.environment(), "TERM": "xterm-256color"}, capture_output=True, text=True).stdout

        self.addCleanup(self.end_daemon)
        self.addCleanup(tmux, "kill-server")
        tmux("new-session", "-d", "-x", "150", "-y", "50", "-c", self.repository, os.path.join(self.bin, "codex"), "go")
        screen = lambda: tmux("capture-pane", "-p", "-S", "-200")
        self.assertTrue(self.eventually(lambda: "reviewed it" in screen()), screen())
        self.assert_woken(mock)

    def assert_woken(self, mock):
        (folder,) = self.runs()
        message = "opencode-worker: run %s ended (completed). Review it with opencode_wait." % os.path.basename(folder)
        self.assertTrue(any(message in json.dumps(r["body"]) for r in mock.requests if r["body"]))
        for mark in ("woken", "reviewed"):
            self.assertTrue(self.eventually(lambda: os.path.exists(os.path.join(folder, mark))), mark)

    def mock(self, steps):
        """A scripted model that doesn't take Codex's request for a title for a step."""
        class Titled(codex_drive.Mock):
            def _answer(self, body, index):
                if "single-line task title" not in json.dumps(body["input"][-1:]):
                    return super()._answer(body, index)
                usage = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1, "output_tokens_details": None, "total_tokens": 2}
                return [{"type": "response.created", "response": {"id": "title"}}, {"type": "response.output_item.done", "item": self._message("Work")},
                        {"type": "response.completed", "response": {"id": "title", "usage": usage}}]

        mock = Titled(steps).start()
        self.addCleanup(mock.stop)
        return mock

    def install_with(self, mock, options, top=""):
        trusted = '[projects."%s"]\ntrust_level = "trusted"\n' % self.repository
        codex_drive.make_home(self.root, mock.base_url, model="mock-model", top_toml=top, extra_toml=trusted)
        self.worker("install", *options)
        with open(self.config, "a") as f:
            f.write('\n[mcp_servers.opencode-worker.tools.opencode_start]\napproval_mode = "approve"\n')

    def end_daemon(self):
        """Ends what the TUI has left behind: processes whose command is in this test's own folder."""
        for line in subprocess.run(["ps", "-axo", "pid=,args="], stdout=subprocess.PIPE, text=True).stdout.splitlines():
            pid, _, command = line.strip().partition(" ")
            if command.strip().startswith(self.codex_home):
                try:
                    os.kill(int(pid), signal.SIGTERM)
                except OSError:
                    pass


class AppServer:
    """`codex app-server` on pipes."""

    def __init__(self, case, steps, options, trust=False):
        self.case, self.mock = case, case.mock(steps)
        case.install_with(self.mock, options)
        self.messages = []
        self.process = subprocess.Popen([CODEX, "app-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=case.environment(), cwd=case.repository, text=True)
        case.addCleanup(self.end)
        threading.Thread(target=self.read, daemon=True).start()
        self.last = 0
        self.request("initialize", {"clientInfo": {"name": "test", "title": "test", "version": "1"}})
        self.send({"method": "initialized"})
        if trust:
            self.trust_hooks()

    def trust_hooks(self):
        """What a person does in /hooks: Codex keeps it in config.toml."""
        hooks = self.request("hooks/list", {"cwds": [self.case.repository]})["data"][0]["hooks"]
        # Older ones pass over an event that they don't know.
        self.case.assertTrue({"sessionStart", "postToolUse", "stop"} <= {hook["eventName"] for hook in hooks}, hooks)
        with open(self.case.config, "a") as f:
            for hook in hooks:
                f.write('\n[hooks.state.%s]\ntrusted_hash = "%s"\n' % (json.dumps(hook["key"]), hook["currentHash"]))
        listed = self.request("hooks/list", {"cwds": [self.case.repository]})["data"][0]["hooks"]
        self.case.assertEqual({hook["trustStatus"] for hook in listed}, {"trusted"})

    def read(self):
        for line in self.process.stdout:
            self.messages.append(json.loads(line))

    def send(self, message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def request(self, method, params):
        self.last += 1
        number = self.last
        self.send({"id": number, "method": method, "params": params})
        answers = lambda: [m for m in self.messages if m.get("id") == number and "method" not in m]
        self.case.assertTrue(self.case.eventually(answers, 60), method)
        self.case.assertIn("result", answers()[0])
        return answers()[0]["result"]

    def start_thread(self):
        return self.request("thread/start", {"cwd": self.case.repository, "approvalPolicy": "never", "sandbox": "workspace-write"})["thread"]["id"]

    def start_turn(self, thread):
        return self.request("turn/start", {"threadId": thread, "input": [{"type": "text", "text": "go"}]})["turn"]["id"]

    def count(self, method):
        return sum(1 for m in self.messages if m.get("method") == method)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    if MISSING:
        print("NOTICE: Codex's end-to-end tests did not run: " + "; ".join(MISSING))
        sys.exit(0)
    if not with_opencode:
        print("NOTICE: delegations through Codex did not run: no ../shared/opencode/with_opencode.py")
    if not shutil.which("tmux"):
        print("NOTICE: the wake-up in a terminal did not run: no tmux")
    unittest.main()
