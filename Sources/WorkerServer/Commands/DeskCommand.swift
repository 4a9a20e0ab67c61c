import Desk
import Foundation
import PosixSupport
import Runs

/// What the commands about a run share.
enum DeskCommand {
  /// Finds the run that is meant and does something with it. Errors go to stderr.
  static func withRun(
    _ word: String?, _ environment: [String: String], _ body: @escaping @Sendable (RunSnapshot, RunManager) async throws -> Int32
  ) -> Int32 {
    let manager = RunManager(state: .standard(environment), environment: environment)
    return CommandLineTool.finish {
      do {
        let id = try RunChoice.id(word, in: manager.state)
        guard let run = try await manager.resolve(id, thread: nil) else {
          Terminal.error("opencode-worker: no run is kept in \(manager.state.root).")
          return ExitCode.failure
        }
        return try await body(run, manager)
      } catch {
        Terminal.error("opencode-worker: \(words(of: error))")
        return ExitCode.failure
      }
    }
  }

  /// A refusal as one reads it in a terminal: without its code.
  static func words(of error: any Error) -> String {
    if let refusal = error as? RunRefusal { return "\(refusal.message) \(refusal.hint)" }
    return "\(error)"
  }

  /// 0 when there is nothing in it that somebody must look at.
  static func exitCode(_ run: RunSnapshot) -> Int32 { run.review?.isWell ?? false ? ExitCode.success : ExitCode.failure }
}
