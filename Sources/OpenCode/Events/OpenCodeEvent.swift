import Text

/// What OpenCode reported on stdout, the same for both generations.
/// Rests on every recorded run; `docs/facts/opencode-cli.md`, "stdout" and "Events".
package enum OpenCodeEvent: Sendable, Equatable {
  case stepStart(EventHeader)
  case text(TextPart)
  case reasoning(TextPart)
  case toolUse(ToolUse)
  case stepFinish(StepFinish)
  case error(ErrorEvent)
  case unknown(EventHeader, type: String)

  package var header: EventHeader {
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
package struct EventHeader: Sendable, Equatable {
  /// Seconds since 1970.
  package var at: Double?
  package var sessionID: String?
  package var messageID: String?
  package var partID: String?

  package init(at: Double? = nil, sessionID: String? = nil, messageID: String? = nil, partID: String? = nil) {
    self.at = at
    self.sessionID = sessionID
    self.messageID = messageID
    self.partID = partID
  }
}

/// A complete block of text: the model's own, or one that OpenCode put in (`synthetic`, at a compaction).
/// Recordings: `1.18.34/text-stdin`, `1.18.34/compaction`.
package struct TextPart: Sendable, Equatable {
  package var header: EventHeader
  package var text: BoundedText
  package var synthetic = false

  package init(header: EventHeader, text: BoundedText, synthetic: Bool = false) {
    self.header = header
    self.text = text
    self.synthetic = synthetic
  }
}

/// A tool call that has ended.
/// Recordings: `1.18.34/bash-exit-3`, `1.18.34/bash-timeout`, `1.18.34/apply-patch`, `2.0-preview-20260807/write-edit-read`.
package struct ToolUse: Sendable, Equatable {
  package enum Status: String, Sendable, Codable { case completed, error, other }

  /// Why a call never ran.
  package enum Refusal: Sendable, Equatable {
    /// It was asked for, and nobody was there to allow it.
    case rejected
    /// A rule forbids it.
    case ruledOut
    /// A question to the user, whom it can't reach.
    case questionDismissed
    /// There is no such tool, or it isn't offered to this agent.
    case unavailable(tool: String, why: String)
  }

  package var header: EventHeader
  package var tool: String
  package var callID: String?
  package var status = Status.other
  package var title: String?
  /// Of a shell call: the command in full, unless it is longer than 128 KiB: no shell on Linux takes more with `-c`.
  package var command: BoundedText?
  package var path: String?
  /// Of a shell call: where it was to start (`workdir`).
  package var folder: String?
  package var description: String?
  package var exitCode: Int?
  package var timedOut = false
  package var error: BoundedText?
  package var refusal: Refusal?
  /// Seconds since 1970.
  package var start: Double?
  package var end: Double?
  /// What OpenCode's own edit, write or patch tool did.
  package var files: [FileEdit] = []
  /// The whole list, as the todo tool left it.
  package var todos: [Todo]?
  package var subagent: Subagent?
  package var output: BoundedText?

  package init(header: EventHeader, tool: String) {
    self.header = header
    self.tool = tool
  }

  package var isShell: Bool { ToolNames.shell.contains(tool) }
  package var isEdit: Bool { ToolNames.edit.contains(tool) }

  /// Other files in which a language server knew errors at that time: `write` names the first few (1.x: recording `1.18.34/lsp-errors`).
  package var otherDiagnosedFiles: [String] {
    guard isEdit, let output else { return [] }
    let own = Set(files.map(\.path))
    // Few outputs hold one, and a regular expression is made anew each time.
    let named = [output.head, output.tail].filter { $0.contains("<diagnostics file=\"") }.flatMap { text in
      text.matches(of: /<diagnostics file="([^"\n]+)">/).map { String($0.1) }
    }
    return named.filter { !own.contains($0) }
  }

  /// OpenCode's own words in the output of an edit whose file a language server found errors in (1.x: "LSP errors detected in this file").
  package var leftDiagnostics: Bool {
    guard isEdit, let output else { return false }
    return ["LSP errors detected in this file", "This file has errors, please fix"].contains { output.head.contains($0) || output.tail.contains($0) }
  }

  package var seconds: Double? {
    guard let start, let end, end >= start else { return nil }
    return end - start
  }
}

/// What OpenCode calls its tools, in both generations.
package enum ToolNames {
  static let shell: Set<String> = ["bash", "shell"]
  package static let edit: Set<String> = ["edit", "write", "patch", "apply_patch", "multiedit"]
  /// Those that run a subagent.
  package static let subagent: Set<String> = ["task", "subagent"]
  /// OpenCode's own that change no file by themselves.
  private static let harmless: Set<String> = [
    "read", "glob", "grep", "list", "todowrite", "todoread", "question", "webfetch", "websearch", "codesearch", "lsp", "skill", "invalid", "plan_enter",
    "plan_exit",
  ]

  /// A tool of an MCP server or of a plugin: whether it changed files nobody tells.
  package static func mayChangeFiles(_ tool: String) -> Bool {
    !shell.contains(tool) && !edit.contains(tool) && !subagent.contains(tool) && !harmless.contains(tool)
  }
}

/// One file that an edit, write or patch tool changed. Recordings: `1.18.34/write-edit-read`, `1.18.34/apply-patch`, `2.0-preview-20260807/edit`.
package struct FileEdit: Sendable, Equatable {
  package let path: String
  package var movedTo: String?
  /// OpenCode's own word: `add`, `update`, `modified`, `delete`, ...
  package var change: String?
  package var additions: Int?
  package var deletions: Int?
}

/// An entry of the todo list. Recording: `1.18.34/todo`; OpenCode 2 has no such tool.
package struct Todo: Sendable, Equatable, Codable {
  package let content: String
  /// `pending`, `in_progress`, `completed`, `cancelled`.
  package let status: String

  package init(content: String, status: String) {
    self.content = content
    self.status = status
  }
}

/// A session below the run's own. Recordings: `1.18.34/subagent`, `2.0-preview-20260807/subagent`.
package struct Subagent: Sendable, Equatable, Codable {
  package let session: String
  package let title: String?
  package let agent: String?
}

/// The end of one step: the usage is that of the step alone.
/// Recordings: `1.18.34/text-stdin`, `1.18.34/length`, `1.18.34/stream-broken-off`.
/// OpenCode 2 mostly leaves the last one out: `2.0-preview-20260807/text-stdin`.
package struct StepFinish: Sendable, Equatable {
  package var header: EventHeader
  /// `stop`, `tool-calls`, `length`, ...
  package var reason: String?
  package var tokens: TokenCounts?
  /// USD; 0 when the model has no price.
  package var cost: Double?

  package init(header: EventHeader, reason: String? = nil, tokens: TokenCounts? = nil, cost: Double? = nil) {
    self.header = header
    self.reason = reason
    self.tokens = tokens
    self.cost = cost
  }
}

/// Tokens, none of them counted twice: `input` is without the cache, `output` without the reasoning.
/// 1.3.2 counts reasoning in `output`, too: recording `1.3.2/bash-exit-3`. Without usage: `1.18.34/no-usage`.
package struct TokenCounts: Sendable, Equatable, Codable {
  package var input = 0
  package var output = 0
  package var reasoning = 0
  package var cacheRead = 0
  package var cacheWrite = 0

  package init(input: Int = 0, output: Int = 0, reasoning: Int = 0, cacheRead: Int = 0, cacheWrite: Int = 0) {
    self.input = input
    self.output = output
    self.reasoning = reasoning
    self.cacheRead = cacheRead
    self.cacheWrite = cacheWrite
  }

  package var total: Int { [output, reasoning, cacheRead, cacheWrite].reduce(input, TokenCounts.sum) }

  package static func + (left: TokenCounts, right: TokenCounts) -> TokenCounts { combine(left, right, sum) }
  package static func - (left: TokenCounts, right: TokenCounts) -> TokenCounts { combine(left, right) { max(0, $0 - $1) } }

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
/// Recordings: `1.18.34/error-401`, `1.18.34/model-unknown`, `1.18.34/context-overflow`, `2.0-preview-20260807/error-401`.
package struct ErrorEvent: Sendable, Equatable {
  package var header: EventHeader
  /// 1.x: `APIError`, `UnknownError`, ...; 2.x: `provider.auth`, `aborted`, ...
  package var kind: String?
  package var message: String
  /// Of the provider's HTTP response.
  package var status: Int?
  /// 1.x: the log line with the same reference has the cause.
  package var ref: String?

  package init(header: EventHeader, kind: String? = nil, message: String, status: Int? = nil, ref: String? = nil) {
    self.header = header
    self.kind = kind
    self.message = message
    self.status = status
    self.ref = ref
  }
}
