#!/usr/bin/env python3
"""The real Codex CLI with a scripted model, this server, and the real OpenCode with a scripted model of its own: nothing leaves loopback.

usage: codex_end_to_end.py [-v] [Class[.test]...]
Needs: the Codex CLI (CODEX_BIN, the package codex_cli_bin, or codex on PATH), the built server (OPENCODE_WORKER_BIN, else .build), and the two
helpers ../shared/codex/codex_drive.py and ../shared/opencode/with_opencode.py beside the repository. What is missing is said, and skipped.
"""
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
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


CODEX, WORKER = codex_binary(), worker_binary()
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
        env.update(HOME=self.home, CODEX_HOME=self.codex_home, PATH=os.path.dirname(CODEX) + os.pathsep + os.environ["PATH"], **codex_drive.OFFLINE)
        env.update(self.extra)
        return env

    def worker(self, *arguments, status=0):
        done = subprocess.run([WORKER, *arguments], env=self.environment(), capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def codex(self, *arguments, status=0):
        done = subprocess.run([CODEX, *arguments], env=self.environment(), capture_output=True, text=True, timeout=WAIT, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

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
            text = re.sub(r"(?m)^# (\[|approval_mode = |enabled_tools = )", r"\1", f.read())
        with open(self.config, "w") as f:
            f.write(text)
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
    """Codex, the server and OpenCode together."""

    def script(self, turns):
        model = ScriptedModel(turns)
        opencode_home = os.path.join(self.root, "opencode-home")
        os.makedirs(opencode_home, exist_ok=True)
        env = with_opencode.environment(with_opencode.unpacked(), opencode_home, model.port)
        self.extra.update({k: v for k, v in env.items() if k.startswith(("OPENCODE_", "XDG_"))})

    def drive(self, steps, *, install=("install", "--enable"), approve=True, model="mock-model", sandbox="workspace-write", workdir=None, **more):
        def pre(root, env):
            self.worker(*install)
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
        self.script(WRITES_A_FILE)
        result = self.drive([
            [{"tool_search": {"query": "delegate this to OpenCode"}}],
            [{"tool": "opencode_run_and_wait", "arguments": TASK}],
            {"final": "done"}], model="gpt-5.5")
        found = offered_by_search(result["calls"][0])
        self.assertIn("opencode_run_and_wait", found[:3], found)
        self.assert_delegated(structured(result["calls"][1]), self.repository)
        first = next(r["body"] for r in result["_mock"].requests if r["body"])
        self.assertIn("opencode-worker:opencode-worker: Delegate", json.dumps(first), "the skill is not listed")

    def test_in_code_mode(self):
        self.script(WRITES_A_FILE)
        result = self.drive([[{"tool": "opencode_run_and_wait", "arguments": TASK}], {"final": "done"}], model="gpt-6-astra")
        self.assertIn("completed", json.dumps(result["calls"][0]["shown"]))
        self.assertTrue(os.path.exists(os.path.join(self.repository, "greeting.txt")))

    def test_through_the_direct_entry(self):
        self.script(WRITES_A_FILE)
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
        self.script(WRITES_A_FILE)
        other = self.make_repository("another föld er")
        self.assert_delegated(self.delegate(workdir=other), other)
        self.assertFalse(os.path.exists(os.path.join(self.repository, "greeting.txt")))

    def test_a_run_outlives_codex_and_is_found_again(self):
        self.script([{"delay": 8, **WRITES_A_FILE[0]}] + WRITES_A_FILE[1:])
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
        result = self.drive([[{"tool": "opencode_status", "arguments": {}}], [{"tool": "opencode_wait", "arguments": {}}], {"final": "done"}])
        status, waited = (structured(call) for call in result["calls"])
        self.assertEqual(status["run"], waited["run"])
        self.assertTrue(status["running"], status)
        self.assert_delegated(waited, self.repository)
        self.assertEqual(waited["exitCode"], 0)

    def test_a_read_only_sandbox_gets_a_read_only_run(self):
        self.script(WRITES_A_FILE)
        reply = self.delegate(sandbox="read-only")
        self.assertFalse(os.path.exists(os.path.join(self.repository, "greeting.txt")), reply)
        self.assertEqual(reply["changedFiles"]["files"], [], reply)
        self.script(WRITES_A_FILE)
        refused = self.delegate({**TASK, "permissions": "full"}, sandbox="read-only")
        self.assertEqual(refused["error"]["code"], "bad_argument", refused)
        self.extra["OPENCODE_WORKER_IGNORE_SANDBOX"] = "1"
        self.script(WRITES_A_FILE)
        self.assert_delegated(self.delegate(sandbox="read-only"), self.repository)

    def test_each_thread_has_its_own_default_run(self):
        status = [{"tool": "opencode_status", "arguments": {}}]
        threads = []
        for _ in range(2):
            self.script([{"text": "Nothing to do."}])
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


if __name__ == "__main__":
    if MISSING:
        print("NOTICE: Codex's end-to-end tests did not run: " + "; ".join(MISSING))
        sys.exit(0)
    if not with_opencode:
        print("NOTICE: delegations through Codex did not run: no ../shared/opencode/with_opencode.py")
    unittest.main()
