/// What OpenCode reported on stdout, the same for both lines.
public enum OpenCodeEvent: Sendable, Equatable {
  case stepStart(EventHeader)
  case text(TextPart)
  case reasoning(TextPart)
  case toolUse(ToolUse)
  case stepFinish(StepFinish)
  case error(ErrorEvent)
  case unknown(EventHeader, type: String)

  public var header: EventHeader {
    switch self {
    case .stepStart(let header), .unknown(let header, _): header
    case .text(let part), .reasoning(let part): part.header
    case .toolUse(let tool): tool.header
    case .stepFinish(let step): step.header
    case .error(let error): error.header
    }
  }
}

/// What every event carries.
public struct EventHeader: Sendable, Equatable {
  /// Seconds since 1970.
  public var at: Double?
  public var sessionID: String?
  public var messageID: String?
  public var partID: String?

  public init(at: Double? = nil, sessionID: String? = nil, messageID: String? = nil, partID: String? = nil) {
    self.at = at
    self.sessionID = sessionID
    self.messageID = messageID
    self.partID = partID
  }
}

/// A complete block of text: the model's own, or one that OpenCode put in (`synthetic`, at a compaction).
public struct TextPart: Sendable, Equatable {
  public var header: EventHeader
  public var text: BoundedText
  public var synthetic = false

  public init(header: EventHeader, text: BoundedText, synthetic: Bool = false) {
    self.header = header
    self.text = text
    self.synthetic = synthetic
  }
}

/// A tool call that has ended.
public struct ToolUse: Sendable, Equatable {
  public enum Status: String, Sendable, Codable { case completed, error, other }

  /// Why a call never ran.
  public enum Refusal: Sendable, Equatable {
    /// It was asked for, and nobody was there to allow it.
    case rejected
    /// A rule forbids it.
    case ruledOut
    /// A question to the user, whom it can't reach.
    case questionDismissed
    /// There is no such tool, or it isn't offered to this agent.
    case unavailable(tool: String, why: String)
  }

  public var header: EventHeader
  public var tool: String
  public var callID: String?
  public var status = Status.other
  public var title: String?
  /// Of a shell call: the command in full, unless it is longer than 16 KiB.
  public var command: BoundedText?
  public var path: String?
  public var description: String?
  public var exitCode: Int?
  public var timedOut = false
  public var error: BoundedText?
  public var refusal: Refusal?
  /// Seconds since 1970.
  public var start: Double?
  public var end: Double?
  /// What OpenCode's own edit, write or patch tool did.
  public var files: [FileEdit] = []
  /// The whole list, as the todo tool left it.
  public var todos: [Todo]?
  public var subagent: Subagent?
  public var output: BoundedText?

  public init(header: EventHeader, tool: String) {
    self.header = header
    self.tool = tool
  }

  public var isShell: Bool { ToolNames.shell.contains(tool) }
  public var isEdit: Bool { ToolNames.edit.contains(tool) }

  public var seconds: Double? {
    guard let start, let end, end >= start else { return nil }
    return end - start
  }
}

/// What OpenCode calls its tools, in both lines.
enum ToolNames {
  static let shell: Set<String> = ["bash", "shell"]
  static let edit: Set<String> = ["edit", "write", "patch", "apply_patch", "multiedit"]
  /// Those that run a subagent.
  static let subagent: Set<String> = ["task", "subagent"]
}

public struct FileEdit: Sendable, Equatable {
  public let path: String
  public var movedTo: String?
  /// OpenCode's own word: `add`, `update`, `modified`, `delete`, ...
  public var change: String?
  public var additions: Int?
  public var deletions: Int?
}

public struct Todo: Sendable, Equatable, Codable {
  public let content: String
  /// `pending`, `in_progress`, `completed`, `cancelled`.
  public let status: String

  public init(content: String, status: String) {
    self.content = content
    self.status = status
  }
}

public struct Subagent: Sendable, Equatable, Codable {
  public let session: String
  public let title: String?
  public let agent: String?
}

/// The end of one step: the usage is that of the step alone.
public struct StepFinish: Sendable, Equatable {
  public var header: EventHeader
  /// `stop`, `tool-calls`, `length`, ...
  public var reason: String?
  public var tokens: TokenCounts?
  /// USD; 0 when the model has no price.
  public var cost: Double?

  public init(header: EventHeader, reason: String? = nil, tokens: TokenCounts? = nil, cost: Double? = nil) {
    self.header = header
    self.reason = reason
    self.tokens = tokens
    self.cost = cost
  }
}

/// Tokens, none of them counted twice: `input` is without the cache, `output` without the reasoning.
public struct TokenCounts: Sendable, Equatable, Codable {
  public var input = 0
  public var output = 0
  public var reasoning = 0
  public var cacheRead = 0
  public var cacheWrite = 0

  public init(input: Int = 0, output: Int = 0, reasoning: Int = 0, cacheRead: Int = 0, cacheWrite: Int = 0) {
    self.input = input
    self.output = output
    self.reasoning = reasoning
    self.cacheRead = cacheRead
    self.cacheWrite = cacheWrite
  }

  public var total: Int { [output, reasoning, cacheRead, cacheWrite].reduce(input, TokenCounts.sum) }

  public static func + (left: TokenCounts, right: TokenCounts) -> TokenCounts { combine(left, right, sum) }
  public static func - (left: TokenCounts, right: TokenCounts) -> TokenCounts { combine(left, right) { max(0, $0 - $1) } }

  private static func combine(_ left: TokenCounts, _ right: TokenCounts, _ operation: (Int, Int) -> Int) -> TokenCounts {
    TokenCounts(
      input: operation(left.input, right.input), output: operation(left.output, right.output),
      reasoning: operation(left.reasoning, right.reasoning), cacheRead: operation(left.cacheRead, right.cacheRead),
      cacheWrite: operation(left.cacheWrite, right.cacheWrite))
  }

  /// A log may claim any number: sums stop at the largest one.
  private static func sum(_ left: Int, _ right: Int) -> Int {
    let (value, overflow) = left.addingReportingOverflow(right)
    return overflow ? Int.max : value
  }
}

/// An error that OpenCode reported. Headers and bodies of responses, which may hold secrets, are not read.
public struct ErrorEvent: Sendable, Equatable {
  public var header: EventHeader
  /// 1.x: `APIError`, `UnknownError`, ...; 2.x: `provider.auth`, `aborted`, ...
  public var kind: String?
  public var message: String
  /// Of the provider's HTTP response.
  public var status: Int?
  /// 1.x: the log line with the same reference has the cause.
  public var ref: String?

  public init(header: EventHeader, kind: String? = nil, message: String, status: Int? = nil, ref: String? = nil) {
    self.header = header
    self.kind = kind
    self.message = message
    self.status = status
    self.ref = ref
  }
}
