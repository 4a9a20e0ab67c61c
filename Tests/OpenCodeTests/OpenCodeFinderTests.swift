import Foundation
import PosixSupport
import TestSupport
import Testing

@testable import OpenCode

@Suite(.blocking) struct OpenCodeFinderTests {
  /// A home of its own, and a PATH that isn't bare.
  private func environment(_ scratch: Scratch, path: [String] = []) -> [String: String] {
    ["HOME": scratch.path + "/home", "PATH": (path + [scratch.path + "/own-tools", "/usr/bin", "/bin"]).joined(separator: ":"), "SHELL": "/bin/false"]
  }

  @Test func openCodeOnThePathIsFoundAndAskedItsVersion() throws {
    let scratch = try Scratch()
    let path = try scratch.script("bin/opencode", "echo 1.18.34")
    let found = try OpenCodeFinder.find(environment: environment(scratch, path: [scratch.path + "/bin"]), workspace: nil, cache: nil)
    #expect(found.path == path && found.version == OpenCodeVersion(1, 18, 34) && found.foundBy == "PATH" && found.isWrapper)
  }

  @Test func theVariableWinsOverThePath() throws {
    let scratch = try Scratch()
    try scratch.script("bin/opencode", "echo 1.18.34")
    let chosen = try scratch.script("chosen/opencode-two", "echo opencode v2.0.22")
    var environment = environment(scratch, path: [scratch.path + "/bin"])
    environment["OPENCODE_BIN"] = chosen
    #expect(try OpenCodeFinder.find(environment: environment, workspace: nil, cache: nil).path == chosen)
  }

  @Test func aVariableThatPointsNowhereIsAnErrorNotASurprise() throws {
    let scratch = try Scratch()
    try scratch.script("bin/opencode", "echo 1.18.34")
    var environment = environment(scratch, path: [scratch.path + "/bin"])
    let cases = [
      ("/nonexistent/opencode", "not there", "OPENCODE_BIN names /nonexistent/opencode, which doesn't exist"),
      ("bin/opencode", "relative", "OPENCODE_BIN is \"bin/opencode\": it must be an absolute path, or a name on PATH"),
      (scratch.path, "not executable", "OPENCODE_BIN names \(scratch.path), which can't be used: not executable"),
    ]
    for (value, problem, words) in cases {
      environment["OPENCODE_BIN"] = value
      let error = #expect(throws: OpenCodeNotFound.self) { try OpenCodeFinder.find(environment: environment, workspace: nil, cache: nil) }
      #expect(error?.tried == [.init(path: "OPENCODE_BIN=\(value)", problem: problem)])
      #expect(error?.description == words)
    }
    environment["OPENCODE_BIN"] = "opencode-nobody-has"
    let byName = #expect(throws: OpenCodeNotFound.self) { try OpenCodeFinder.find(environment: environment, workspace: nil, cache: nil) }
    #expect(byName?.description == "OPENCODE_BIN is \"opencode-nobody-has\", and PATH has no such program that works")
  }

  @Test func theInstallersPlaceIsFoundWithoutThePath() throws {
    let scratch = try Scratch()
    let path = try scratch.script("home/.opencode/bin/opencode", "echo 1.17.9")
    let found = try OpenCodeFinder.find(environment: environment(scratch), workspace: nil, cache: nil)
    #expect(found.path == path && found.foundBy == "usual place")
  }

  @Test func neitherARelativeEntryNorTheWorkspaceIsTrusted() throws {
    let scratch = try Scratch()
    let workspace = try scratch.folder("work")
    try scratch.script("work/node_modules/.bin/opencode", "echo 1.0.0; touch \(scratch.path)/ran")
    _ = try scratch.link("elsewhere/opencode", to: workspace + "/node_modules/.bin/opencode")
    let honest = try scratch.script("bin/opencode", "echo 1.18.34")
    let path = ["", ".", "node_modules/.bin", workspace + "/node_modules/.bin", scratch.path + "/elsewhere", scratch.path + "/bin"]
    let found = try OpenCodeFinder.find(environment: environment(scratch, path: path), workspace: workspace, cache: nil)
    #expect(found.path == honest)
    #expect(!PrivateFiles.exists(scratch.path + "/ran"))
  }

  @Test func theErrorNamesEveryPlaceAndWhatWasWrongThere() throws {
    let scratch = try Scratch()
    try scratch.file("a/opencode", "not executable")
    try scratch.script("b/opencode", "echo no idea")
    try scratch.script("c/opencode", "echo 'Error: broken install' >&2; exit 7")
    try scratch.script("d/opencode", "true", interpreter: "/nonexistent/interpreter")
    let folders = ["a", "b", "c", "d", "e"].map { "\(scratch.path)/\($0)" }
    let error = #expect(throws: OpenCodeNotFound.self) {
      try OpenCodeFinder.find(environment: environment(scratch, path: folders), workspace: nil, cache: nil)
    }
    let text = try #require(error?.description)
    #expect(text.contains("a/opencode: not executable"))
    #expect(text.contains("b/opencode: `--version` printed no version: no idea"))
    #expect(text.contains("c/opencode: `--version` ended with exit 7: broken install"))
    #expect(text.contains("d/opencode: "))
    #expect(!text.contains("e/opencode") && !text.contains("home/.opencode/bin/opencode"), "those that simply lack it are counted")
    #expect(error?.places?.contains("e/opencode") == true && error?.places?.contains("home/.opencode/bin/opencode") == true)
  }

  @Test func noOpenCodeAtAllIsSaidInAFewWords() throws {
    let scratch = try Scratch()
    let error = OpenCodeNotFound(tried: [.init(path: scratch.path + "/opencode", problem: "not there")])
    #expect(error.description == "OpenCode isn't installed: not on PATH nor in the usual places (1 looked at)")
    #expect(error.remedy.contains("npm install -g opencode-ai"))
  }

  @Test func aBrokenInstallationDoesNotHideAWorkingOne() throws {
    let scratch = try Scratch()
    try scratch.script("a/opencode", "exit 1")
    let good = try scratch.script("b/opencode", "echo 1.18.34")
    #expect(
      try OpenCodeFinder.find(environment: environment(scratch, path: ["a", "b"].map { "\(scratch.path)/\($0)" }), workspace: nil, cache: nil).path == good)
  }

  @Test(.waiting) func aVersionThatNeverComesEndsWithAnErrorInTime() async throws {
    let scratch = try Scratch()
    var environment = environment(scratch)
    environment["OPENCODE_BIN"] = try scratch.script("opencode", "exec sleep 60")
    let given = environment
    let error = await #expect(throws: OpenCodeNotFound.self) {
      try await onThread { try OpenCodeFinder.find(environment: given, workspace: nil, cache: nil) }
    }
    #expect(error?.description.contains("`--version` didn't end within 10 s") == true)
  }

  /// A script's answer may depend on the folder.
  @Test func aScriptIsAskedOnceInEachWorkspace() throws {
    let scratch = try Scratch()
    let (one, two) = (try scratch.folder("one"), try scratch.folder("two"))
    try scratch.file("one/version", "1.17.9")
    try scratch.file("two/version", "1.18.34")
    try scratch.script("bin/opencode", "cat version; [ \"$PWD\" = \"$(pwd)\" ] || echo PWD is stale")
    let environment = environment(scratch, path: [scratch.path + "/bin"])
    let cache = scratch.path + "/cache"
    #expect(try OpenCodeFinder.find(environment: environment, workspace: one, cache: cache).version == OpenCodeVersion(1, 17, 9))
    #expect(try OpenCodeFinder.find(environment: environment, workspace: two, cache: cache).version == OpenCodeVersion(1, 18, 34))
    // Another file under its name is asked again; the same one isn't.
    try scratch.file("one/version", "1.18.34")
    #expect(try OpenCodeFinder.find(environment: environment, workspace: one, cache: cache).version == OpenCodeVersion(1, 17, 9))
    try scratch.script("bin/opencode", "cat version; true")
    #expect(try OpenCodeFinder.find(environment: environment, workspace: one, cache: cache).version == OpenCodeVersion(1, 18, 34))
  }

  @Test func aSymlinkIsExecutedByItsOwnName() throws {
    let scratch = try Scratch()
    let target = try scratch.script("manager/many", "case $0 in */opencode) echo 1.18.34;; *) echo what is $0; exit 1;; esac")
    let link = try scratch.link("bin/opencode", to: target)
    #expect(try OpenCodeFinder.find(environment: environment(scratch, path: [scratch.path + "/bin"]), workspace: nil, cache: nil).path == link)
  }

  @Test func whatTheVersionManagerWouldRunIsRunInstead() throws {
    let scratch = try Scratch()
    let native = try nativeFile(scratch, "installs/opencode/1.18.34/bin/opencode")
    let mise = try scratch.script("mise/mise", "[ \"$*\" = 'which opencode' ] && echo \(native)")
    let shim = try scratch.link("shims/opencode", to: mise)
    #expect(Wrapper.nativeBinaries(behind: shim, environment: environment(scratch), workspace: nil) == [native])
    #expect(Wrapper.nativeBinaries(behind: shim, environment: environment(scratch), workspace: scratch.path + "/installs").isEmpty)
  }

  @Test func behindNpmsScriptStandsTheNativeBinary() throws {
    let scratch = try Scratch()
    let script = try scratch.script("lib/node_modules/opencode-ai/bin/opencode", "", interpreter: "/usr/bin/env node")
    let link = try scratch.link("bin/opencode", to: script)
    let nested = try nativeFile(scratch, "lib/node_modules/opencode-ai/node_modules/opencode-\(Platform.npmName)-baseline/bin/opencode")
    let sibling = try nativeFile(scratch, "lib/node_modules/opencode-\(Platform.npmName)/bin/opencode")
    #expect(Wrapper.nativeBinaries(behind: link, environment: environment(scratch), workspace: nil) == [nested, sibling])
    #expect(Wrapper.nativeBinaries(behind: sibling, environment: environment(scratch), workspace: nil).isEmpty)
  }

  @Test func aNativeBinaryIsAskedOnlyAfterItChanged() throws {
    let scratch = try Scratch()
    let native = try nativeFile(scratch, "bin/opencode")
    let cache = scratch.path + "/cache"
    VersionCache(folder: cache).remember(OpenCodeVersion(1, 18, 34), of: native, try #require(FileStamp(native)))
    var environment = environment(scratch)
    environment["OPENCODE_BIN"] = native
    #expect(try OpenCodeFinder.find(environment: environment, workspace: nil, cache: cache).version == OpenCodeVersion(1, 18, 34))
    // It can't really be executed: being asked shows.
    try nativeFile(scratch, "bin/opencode", "replaced")
    #expect(throws: OpenCodeNotFound.self) { try OpenCodeFinder.find(environment: environment, workspace: nil, cache: cache) }
  }

  @Test func aCacheThatIsCorruptOrUnwritableIsOnlyACacheLess() throws {
    let scratch = try Scratch()
    let stamp = try #require(FileStamp(try nativeFile(scratch, "opencode")))
    try scratch.file("cache/opencode-versions.json", "{not json")
    let cache = VersionCache(folder: scratch.path + "/cache")
    #expect(cache.version(of: "/x", stamp) == nil)
    cache.remember(OpenCodeVersion(2, 0, 22), of: "/x", stamp)
    #expect(cache.version(of: "/x", stamp) == OpenCodeVersion(2, 0, 22))
    #expect(cache.version(of: "/y", stamp) == nil)
    try scratch.file("file", "")
    let impossible = VersionCache(folder: scratch.path + "/file/cache")
    impossible.remember(OpenCodeVersion(2, 0, 22), of: "/x", stamp)
    #expect(impossible.version(of: "/x", stamp) == nil)
  }

  /// Homebrew and Nix change a link; installers rename a new file over the old one. Size and time may be the same.
  @Test func everyKindOfUpgradeChangesTheStamp() throws {
    let scratch = try Scratch()
    let (old, new) = (try nativeFile(scratch, "store/1/opencode", "a"), try nativeFile(scratch, "store/2/opencode", "b"))
    for path in [old, new] { try BytePaths.setModified(path, 1_000_000_000) }
    let link = try scratch.link("bin/opencode", to: old)
    let before = try #require(FileStamp(link))
    #expect(FileStamp(link) == before && FileStamp(old) == before)
    unlink(link)
    _ = try scratch.link("bin/opencode", to: new)
    let linked = try #require(FileStamp(link))
    #expect(linked != before)
    try nativeFile(scratch, "store/2/opencode", "c")
    try BytePaths.setModified(new, 1_000_000_000)
    #expect(FileStamp(link) != linked)
    unlink(new)
    #expect(FileStamp(link) == nil)
  }

  @Test func shimsAndScriptsAreNotTakenForTheBinaryItself() throws {
    let scratch = try Scratch()
    let native = try nativeFile(scratch, "bin/opencode")
    #expect(ProgramKind(native) == .native)
    #expect(ProgramKind(try scratch.link("linked/opencode", to: native)) == .native)
    #expect(ProgramKind(try scratch.link("shims/opencode", to: try nativeFile(scratch, "mise"))) == .shim)
    #expect(ProgramKind(try scratch.link("many/opencode", to: try nativeFile(scratch, "opencode-many"))) == .shim)
    #expect(ProgramKind(try scratch.link("npm/opencode", to: try nativeFile(scratch, "opencode-\(Platform.npmName)-musl"))) == .native)
    #expect(ProgramKind(try scratch.script("script/opencode", "")) == .script)
    #expect(ProgramKind(try scratch.file("empty/opencode", "", mode: 0o755)) == .script)
  }

  /// Something that begins as this system's executables do.
  @discardableResult private func nativeFile(_ scratch: Scratch, _ name: String, _ rest: String = "rest") throws -> String {
    let path = "\(scratch.path)/\(name)"
    try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
    try PrivateFiles.replace(path, with: [0x7F, 0x45, 0x4C, 0x46] + Array(rest.utf8), mode: 0o755)
    return path
  }
}
