import JSON

/// Agents and the permissions that their rules name, as far as known: what a preset has to be written out for.
package typealias AgentPermissions = [String: [String]]

/// One generation of OpenCode: its command line, its environment, its companion commands and what they print.
/// What each generation tells and where: `docs/generations.md`.
package protocol OpenCodeCommandLine: Sendable {
  var version: OpenCodeVersion { get }

  /// Arguments of `opencode run`, the prompt being on stdin.
  /// - Throws: `UnsupportedOption`
  func runArguments(_ options: RunOptions) throws -> [String]

  /// `base` with what these options need, permissions above all.
  /// - Parameter agents: agents with rules of their own that a preset must beat; the built-in ones are always covered
  /// - Throws: `BrokenConfigContent`
  func environment(_ options: RunOptions, base: [String: String], agents: AgentPermissions) throws -> [String: String]

  /// Arguments that list the agents with the rules that result; nil: this generation doesn't tell.
  var agentListArguments: [String]? { get }

  /// Arguments that open OpenCode's own interface on a session.
  func interfaceArguments(_ session: String) -> [String]

  func modelsArguments(_ query: ModelsQuery) -> [String]
  /// - Throws: `OpenCodeCommandError.unreadable`
  func parseModels(_ output: String, _ query: ModelsQuery) throws -> ModelList

  /// Ways to export a session, to be tried in this order.
  func exportArguments(_ session: String) -> [[String]]
  /// - Throws: `OpenCodeCommandError.unreadable`
  func parseExport(_ output: [UInt8]) throws -> SessionExport

  /// The quickest command that tells about a session and, where it can, all below it.
  func sessionArguments(_ session: String) -> [String]
  /// - Returns: the session first, then those below it; empty: there is no such session
  /// - Throws: `OpenCodeCommandError.unreadable`
  func parseSession(_ output: [UInt8], _ session: String) throws -> [SessionInfo]
  /// Whether `sessionArguments` also tells the sessions below.
  var tellsChildren: Bool { get }

  /// - Throws: `UnsupportedOption`
  func statsArguments(_ query: StatsQuery) throws -> [String]
  /// - Throws: `OpenCodeCommandError.unreadable`
  func parseStats(_ output: String) throws -> Stats

  /// What a person types to sign in, with a provider chosen beforehand where this version's command takes one.
  /// - Parameter provider: its id; characters that a shell reads must not be in it
  func signIn(_ provider: String?) -> String

  var signedInArguments: [String] { get }
  /// - Throws: `OpenCodeCommandError.unreadable`
  func parseSignedIn(_ output: String) throws -> [SignedInProvider]
}

extension OpenCodeVersion {
  /// What this version's command line is like.
  package var commandLine: any OpenCodeCommandLine {
    switch generation {
    case .v1: OpenCode1(version: self)
    case .v2: OpenCode2(version: self)
    }
  }
}

/// The user's own `OPENCODE_CONFIG_CONTENT` can't be read, so nothing can be merged into it.
package struct BrokenConfigContent: Error, CustomStringConvertible, Sendable, Equatable {
  package static let variable = "OPENCODE_CONFIG_CONTENT"
  package let reason: String

  package var description: String { "\(BrokenConfigContent.variable) in the environment is not valid: \(reason)" }

  /// The user's setting; an unset or blank one is an empty object.
  /// - Throws: `BrokenConfigContent`
  static func read(_ environment: [String: String]) throws -> JSONObject {
    guard let text = environment[variable], !text.allSatisfy(\.isWhitespace) else { return JSONObject() }
    do {
      guard let object = try ConfigText.parse(text).object else { throw BrokenConfigContent(reason: "not a JSON object") }
      return object
    } catch let error as JSONSyntaxError {
      throw BrokenConfigContent(reason: error.reason)
    }
  }
}
