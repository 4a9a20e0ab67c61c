import Foundation
import JSONRPC
import OpenCode
import PosixSupport

// STUBS until branches land
struct OpenCodeVersion { init(parsing: String) {} }
enum RunEnd: Sendable { case exited(Int32), signaled(Int32), spawnFailed(String), notSeen, neverStarted }
enum RunState: String, Codable, Sendable { case completed, incomplete, failed, lost }
struct Outcome: Codable, Sendable {
  var state: RunState; var reason: String?; var attention: [String]
  static func of(end: RunEnd, digest: RunDigest, arguments: [String], now: Double) -> Outcome {
    switch end {
    case .exited(0): Outcome(state: .completed, attention: [])
    case .exited(let c): Outcome(state: .failed, reason: "exit \(c)", attention: [])
    case .signaled(let s): Outcome(state: .failed, reason: ExitStatus.signalName(s), attention: [])
    case .spawnFailed(let s): Outcome(state: .failed, reason: s, attention: [])
    case .notSeen: Outcome(state: .lost, reason: "not seen", attention: [])
    case .neverStarted: Outcome(state: .failed, reason: "never started", attention: [])
    }
  }
}
struct RunDigest: Codable, Sendable { var session: String?; init(line: String, declaredCommands: [String]) {} ; var steps = 0; var toolCalls = 0 }
struct DigestFolder { var digest: RunDigest; init(_ d: RunDigest) { digest = d }
  mutating func advance(eventsPath: String, stderrPath: String, final: Bool) throws -> Bool { true } }
struct ChangedFiles: Codable, Sendable { var exact = false }
struct WorkspaceBaseline: Codable, Sendable {
  static func record(cwd: String, runFolder: String, git: String?, deadline: Double) -> WorkspaceBaseline { WorkspaceBaseline() }
  func finish(runFolder: String, toolPaths: [String], endSeen: Bool, deadline: Double) -> ChangedFiles { ChangedFiles() }
}
