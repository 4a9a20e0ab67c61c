import Foundation
import OpenCode
import PosixSupport
import Runs

/// OpenCode's companion commands for tools, all within one deadline.
struct OpenCodeAccess: Sendable {
  let manager: RunManager
  /// Seconds until a tool that asks OpenCode replies at the latest.
  static let seconds = 19.0

  /// Finds OpenCode and asks it something, on a thread of its own.
  /// - Parameters:
  ///   - deadline: a tool that asks twice has one for both
  ///   - body: gets the client, and when its time is up
  /// - Throws: `RunRefusal`
  func ask<Value: Sendable>(
    in folder: String?, deadline: Deadline = .after(seconds), _ body: @escaping @Sendable (OpenCodeClient, _ deadline: Deadline) throws -> Value
  ) async throws -> Value {
    let (environment, cache) = (manager.environment, manager.state.cache)
    return try await onThread {
      let folder = folder.flatMap { PrivateFiles.isFolder($0) ? $0 : nil }
      let installation = try StartPlan.findOpenCode(environment, workspace: folder, cache: cache)
      let client = OpenCodeClient(installation, folder: folder ?? "/", environment: environment)
      do {
        return try body(client, deadline)
      } catch let error as OpenCodeCommandError {
        throw RunRefusal(error)
      } catch let error as UnsupportedOption {
        throw RunRefusal.badArgument("OpenCode \(installation.version) can't do this: \(error).", hint: "Leave it out.")
      }
    }
  }
}
