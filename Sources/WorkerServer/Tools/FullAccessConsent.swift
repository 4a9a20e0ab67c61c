import MCP
import Runs
import Text

/// A person's word before OpenCode may do whatever it likes. A client's own dialogue shows some arguments of a call, and mostly not these.
struct FullAccessConsent {
  let request: RunRequest
  let environment: [String: String]

  /// Returns when the run may start.
  /// - Throws: `RunRefusal` (`consent_needed`)
  func require(in context: CallContext) async throws {
    guard request.preset == .full || request.dangerouslySkipPermissions, !context.isByHand else { return }
    // Who has full access, or was given it for this, could do as much without us.
    if context.sandbox == .disabled || environment["OPENCODE_WORKER_ALLOW_FULL"] == "1" { return }
    switch try await answer(in: context) {
    case .given?: return
    case .notGiven(let why)?: throw refusal(why)
    case nil:
      // Without a sandbox of its own to go by, the client's approval of the call is the person's.
      if context.sandbox != nil { throw refusal("this client can't ask for it") }
    }
  }

  private func answer(in context: CallContext) async throws -> ClientChannel.Consent? {
    guard let channel = context.channel else { return nil }
    let seconds = min(600, WaitSlice.seconds(for: context.client, hasProgress: context.progress != nil, environment: environment))
    return try await channel.consent(question, seconds: seconds)
  }

  /// What the person reads: text of the model's without anything that could move the cursor.
  private var question: String {
    // On one line, whatever it held: no line of this question may be the model's.
    func clean(_ text: String, _ bytes: Int) -> String {
      TextCut.headAndTail(TerminalText.printable(text.split(whereSeparator: \.isNewline).joined(separator: " ")), bytes: bytes)
    }
    let allowed =
      request.preset == .full
      ? "everything without a question: any command, any file, the network" : "whatever it asks for: any command, any file, the network"
    let model = [request.model, request.variant].compactMap { $0 }.joined(separator: "#")
    return """
      OpenCode asks to work with full permissions.
      Task: \(clean(request.message, 400))
      Folder: \(clean(request.cwd, 300))
      Model: \(model.isEmpty ? "OpenCode's default" : clean(model, 100))
      Allowed: \(allowed)
      Start this run?
      """
  }

  private var argument: String { request.preset == .full ? "\"permissions\": \"full\"" : "\"dangerouslySkipPermissions\"" }

  private func refusal(_ why: String) -> RunRefusal {
    RunRefusal(
      code: .consentNeeded, message: "\(argument) needs the user's consent: \(why). Nothing was started.",
      hint: "Use \"permissions\": \"workspace\", or ask the user. Where nobody can be asked (codex exec declines by itself), the user can give Codex "
        + "itself full access, or set OPENCODE_WORKER_ALLOW_FULL=1 in the server's environment.")
  }
}
