import TestSupport
import Testing

@testable import OpenCode

@Suite struct ChildEnvironmentTests {
  @Test func openCodeGetsTheMarkerAndNoOtherVariableOfOurs() {
    let base = ["PATH": "/home/u/bin:/usr/bin", "OPENCODE_WORKER_STATE_DIR": "/x", "OPENCODE_WORKER_RUN": "old", "OPENCODE_CONFIG": "/c", "PWD": "/stale"]
    let installation = Installation(path: "/home/u/.opencode/bin/opencode", version: OpenCodeVersion(1, 18, 34), foundBy: "PATH")
    let run = ChildEnvironment.make(base, for: installation, folder: "/work", run: "20261122-1")
    #expect(run == ["PATH": "/home/u/bin:/usr/bin", "OPENCODE_WORKER_RUN": "20261122-1", "OPENCODE_CONFIG": "/c", "PWD": "/work"])
    #expect(ChildEnvironment.make(base, for: installation, folder: "/work")["OPENCODE_WORKER_RUN"] == nil)
  }

  @Test func theSecondLineIsSparedANativeAddonOnDarwin() {
    func variable(_ version: OpenCodeVersion, isDarwin: Bool) -> String? {
      let installation = Installation(path: "/x/opencode", version: version, foundBy: "PATH")
      return ChildEnvironment.make(["PATH": "/usr/bin"], for: installation, folder: "/", isDarwin: isDarwin)["MSGPACKR_NATIVE_ACCELERATION_DISABLED"]
    }
    #expect(variable(OpenCodeVersion(2, 0, 26), isDarwin: true) == "true")
    #expect(variable(OpenCodeVersion(2, 0, 26), isDarwin: false) == nil && variable(OpenCodeVersion(1, 18, 34), isDarwin: true) == nil)
  }

  @Test func aScriptFindsItsInterpreterBesideIt() {
    let script = Installation(path: "/opt/node/bin/opencode", version: OpenCodeVersion(1, 4, 0), foundBy: "usual place", isWrapper: true)
    #expect(ChildEnvironment.make(["PATH": "/home/u/bin"], for: script, folder: "/")["PATH"] == "/home/u/bin:/opt/node/bin")
  }

  @Test func aBarePathIsCompletedByTheLoginShells() throws {
    let scratch = try Scratch()
    let shell = try scratch.script("shell", "PATH=/opt/tools/bin:/usr/bin; export PATH; exec /bin/sh -c \"$4\"")
    let child = ChildEnvironment.cleaned(["SHELL": shell, "HOME": scratch.path, "PATH": "/usr/bin:/bin"])
    #expect(child["PATH"] == "/opt/tools/bin:/usr/bin:/bin")
  }
}
