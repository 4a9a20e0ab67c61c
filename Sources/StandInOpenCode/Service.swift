import Foundation
import PosixSupport

/// OpenCode 2's background service, as far as it concerns others: who started it, and which sessions it took up. It isn't a process here;
/// `service.log` beside `stand-in.json` tells what the real one would have done.
struct Service {
  private let log: String
  private let claims: String

  init(folder: String) {
    log = folder + "/service.log"
    claims = folder + "/claims"
  }

  var isRunning: Bool { lines.last.map { $0 != "stopped" } ?? false }

  private var lines: [String] {
    ((try? PrivateFiles.read(log)).map { String(decoding: $0, as: UTF8.self) } ?? "").split(separator: "\n").map(String.init)
  }

  private func append(_ more: [String]) throws {
    let file = try Descriptor.open(log, O_WRONLY | O_CREAT | O_APPEND)
    defer { file.close() }
    try file.writeAll(Array((more.joined(separator: "\n") + "\n").utf8))
  }

  /// A command that needs a server and has none of its own: takes up every session that is still claimed.
  func start(by arguments: [String]) throws {
    if isRunning { return }
    let claimed = ((try? FileManager.default.contentsOfDirectory(atPath: claims)) ?? []).sorted()
    try append(["started by: " + arguments.joined(separator: " ")] + claimed.map { "resumed " + $0 })
  }

  func stop() throws { if isRunning { try append(["stopped"]) } }

  /// A run holds its session until it ends well.
  func claim(_ session: String) throws {
    try PrivateFiles.createFolder(claims)
    try PrivateFiles.replace(claimFile(session), with: [UInt8]())
  }

  func release(_ session: String) { unlink(claimFile(session)) }

  func claimFile(_ session: String) -> String { claims + "/" + session }
}
