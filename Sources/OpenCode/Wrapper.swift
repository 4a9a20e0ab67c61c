import Foundation
import PosixSupport

/// What kind of program stands under the name `opencode`.
enum ProgramKind: Equatable {
  /// OpenCode itself, an ELF or Mach-O binary: its version changes only when the file does.
  case native
  /// A binary of another name behind a symlink (mise, volta): it does what its caller's name and folder say, so its own file tells nothing.
  case shim
  /// Anything else that can be executed.
  case script

  init(_ path: String) {
    guard let head = try? Self.head(of: path, 4) else {
      self = .script
      return
    }
    let magics: [[UInt8]] = [
      [0x7F, 0x45, 0x4C, 0x46], [0xCF, 0xFA, 0xED, 0xFE], [0xCE, 0xFA, 0xED, 0xFE], [0xCA, 0xFE, 0xBA, 0xBE], [0xCA, 0xFE, 0xBA, 0xBF],
    ]
    guard magics.contains(head) else {
      self = .script
      return
    }
    // An executable copied to another name is still itself; a symlink to one of another name is a shim.
    let target = ((PrivateFiles.resolved(path) ?? path) as NSString).lastPathComponent
    let own = (path as NSString).lastPathComponent
    self = target == own || ProgramKind.isOpenCodesName(target) ? .native : .shim
  }

  /// `opencode`, `opencode2`, a platform's package (`opencode-linux-x64-baseline`), and what stands behind wrappers (`.opencode`, Nix's `.opencode-wrapped`).
  private static func isOpenCodesName(_ name: String) -> Bool {
    ["opencode", "opencode2", ".opencode"].contains(name) || ["opencode-\(Platform.npmName)", ".opencode-"].contains { name.hasPrefix($0) }
  }

  static func head(of path: String, _ count: Int) throws -> [UInt8] {
    let file = try Descriptor.openPlainFile(path)
    defer { file.close() }
    return try file.bytes(limit: count)
  }
}

/// Wrappers that start a native OpenCode: npm's Node script, which passes no signals on, and the shims of version managers.
enum Wrapper {
  /// The native binaries behind `path`, best first; empty when it is native itself or hides none.
  static func nativeBinaries(behind path: String, environment: [String: String], workspace: String?) -> [String] {
    candidates(behind: path, environment: environment, workspace: workspace, depth: 0).filter {
      ProgramFinder.problem(with: $0, workspace: workspace) == nil && ProgramKind($0) == .native
    }
  }

  private static func candidates(behind path: String, environment: [String: String], workspace: String?, depth: Int) -> [String] {
    guard depth < 3 else { return [] }
    switch ProgramKind(path) {
    case .native: return depth == 0 ? [] : [path]
    case .script where isNodeScript(path): return npmBinaries(behind: path)
    case .script, .shim:
      guard let real = managed(path, environment: environment, workspace: workspace), real != path else { return [] }
      return candidates(behind: real, environment: environment, workspace: workspace, depth: depth + 1)
    }
  }

  private static func isNodeScript(_ path: String) -> Bool {
    guard let head = try? ProgramKind.head(of: path, 256) else { return false }
    let first = String(decoding: head.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return first.hasPrefix("#!") && first.contains("node")
  }

  /// npm puts the binary for this machine into a package of its own, in a `node_modules` at or above the script's.
  private static func npmBinaries(behind path: String) -> [String] {
    guard let script = PrivateFiles.resolved(path) else { return [] }
    var folder = (script as NSString).deletingLastPathComponent
    var found = ["\(folder)/.opencode"]
    while folder.count > 1 {
      for suffix in ["", "-baseline", "-musl", "-baseline-musl"] {
        found.append("\(folder)/node_modules/opencode-\(Platform.npmName)\(suffix)/bin/opencode")
      }
      folder = (folder as NSString).deletingLastPathComponent
    }
    return found
  }

  /// What a version manager's shim would run in this workspace, asked from the manager itself.
  private static func managed(_ path: String, environment: [String: String], workspace: String?) -> String? {
    let target = PrivateFiles.resolved(path) ?? path
    let manager: String?
    switch (target as NSString).lastPathComponent {
    case "mise": manager = target
    case "volta-shim": manager = (target as NSString).deletingLastPathComponent + "/volta"
    default:
      let head = (try? ProgramKind.head(of: path, 4096)) ?? []
      let text = String(decoding: head, as: UTF8.self)
      let name = ["asdf", "mise"].first { text.contains("\($0) exec") }
      manager = name.flatMap { ProgramFinder.locate($0, path: environment["PATH"], workspace: workspace) }
    }
    guard let manager, PrivateFiles.isExecutable(manager) else { return nil }
    let folder = workspace ?? "/"
    var environment = environment
    environment["PWD"] = folder
    let command = Command(manager, ["which", "opencode"], environment: environment, folder: folder, deadline: .after(5), outputLimit: 1 << 16)
    guard let result = try? command.run(), result.succeeded else { return nil }
    let line = result.outputText.split(whereSeparator: \.isNewline).first { $0.hasPrefix("/") }
    return line.map(String.init).flatMap { ProgramFinder.problem(with: $0, workspace: workspace) == nil ? $0 : nil }
  }
}
