import Foundation
import JSON
import PosixSupport

/// A home folder of its own, with a `codex` that records what it is asked, or none.
package final class PrivateHome: Sendable {
  package let path: String

  package init() throws {
    path = PrivateFiles.resolved(NSTemporaryDirectory())! + "/install-\(UInt64.random(in: 0 ... .max))"
    try PrivateFiles.createFolder(path + "/bin")
    try write("#!/bin/sh\necho worker\n", to: "new/opencode-worker", mode: 0o755)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  package var environment: [String: String] { ["HOME": path, "PATH": path + "/bin:/usr/bin:/bin"] }
  package var worker: String { path + "/new/opencode-worker" }
  package var config: String { path + "/.codex/config.toml" }
  package var marketplace: String { path + "/.agents/plugins/marketplace.json" }
  package var plugin: String { path + "/.agents/plugins/opencode-worker" }

  package func write(_ text: String, to name: String, mode: mode_t = 0o644) throws {
    let target = name.hasPrefix("/") ? name : path + "/" + name
    try PrivateFiles.createFolder((target as NSString).deletingLastPathComponent)
    if mode & 0o111 != 0 { try Program.write(text, to: target) } else { try PrivateFiles.replace(target, with: Array(text.utf8), mode: mode) }
  }

  package func text(_ path: String) -> String? { (try? PrivateFiles.read(path)).map { String(decoding: $0, as: UTF8.self) } }

  package func mode(_ path: String) -> mode_t? {
    var info = stat()
    return stat(path, &info) == 0 ? info.st_mode & 0o7777 : nil
  }

  /// Every file and folder below, but what the test itself put there.
  package var everything: Set<String> {
    Set((FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).filter { !$0.hasPrefix("bin") && !$0.hasPrefix("new") })
  }

  /// A `codex` whose every call runs `script` (its words in `$*`) and is noted.
  package func codex(_ script: String) throws {
    try write("#!/bin/sh\necho \"$*\" >> '\(path)/bin/calls'\n\(script)\n", to: "bin/codex", mode: 0o755)
  }

  package var codexCalls: [String] { (text(path + "/bin/calls") ?? "").split(separator: "\n").map(String.init) }
}
