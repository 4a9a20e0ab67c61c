import Foundation
import OpenCode
import PosixSupport

/// Which model a run of OpenCode 1.x works with, where nobody chose one. OpenCode's store knows it from the first step on, and a companion takes
/// one to two seconds (`docs/facts/opencode-cli.md`): asked once while the run is alive, so that nobody has to wait for the answer at its end.
package final class ModelQuestion: @unchecked Sendable {
  private let request: RunRequest
  private let environment: [String: String]
  private let leash = Leash()
  /// Seconds for the answer.
  private static let seconds = 30.0
  /// Of the supervisor's thread; nil: it wasn't asked. Its result is nil when OpenCode didn't say.
  private var asked: Begun<String?>?

  /// nil: it is known, or asked with everything else at the end.
  package init?(_ record: RunRecord, environment: [String: String]) {
    guard record.request.model == nil, record.request.installation.version.generation == .v1 else { return nil }
    (request, self.environment) = (record.request, environment)
  }

  /// To be called about once a second while OpenCode is alive: asks once there is a step. Doesn't block.
  package func look(at digest: RunDigest) {
    guard let session = digest.session, !session.isEmpty, !digest.sawNoStep else { return }
    guard asked == nil else { return }
    asked = Begun { [self] in ask(session) }
  }

  /// The answer, once it is there; blocks while it is on its way. Nothing is asked any more after that.
  /// - Returns: nil when it wasn't asked, OpenCode didn't say, or the time is up
  package func answer(deadline: Deadline) -> String? {
    defer { leash.end() }
    return asked?.value(deadline: deadline.atMost(ModelQuestion.seconds)) ?? nil
  }

  private func ask(_ session: String) -> String? {
    let deadline = Deadline.after(ModelQuestion.seconds)
    let client = request.client(environment: environment, deadline: deadline.share(1 / 2), leash: leash)
    guard client.installation.version.generation == .v1, !leash.hasEnded else { return nil }
    return try? client.session(session, deadline: deadline)?.model
  }
}
