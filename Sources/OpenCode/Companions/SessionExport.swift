import Foundation

/// A whole session as `export` prints it, without what nobody here needs: outputs, diffs, files.
/// Recordings: `1.18.34/export`, `1.18.34/export-tools`, `1.18.34/subagent-checks.child-export`, `2.0-preview-20260807/export-standalone`.
package struct SessionExport: Sendable, Equatable {
  package let info: SessionInfo
  package let messages: [Message]

  package init(info: SessionInfo, messages: [Message]) { (self.info, self.messages) = (info, messages) }

  package struct Message: Sendable, Equatable {
    package let id: String
    /// `user`, `assistant`; other values of 2.x as they are.
    package let role: String
    package var agent: String?
    /// `provider/model`.
    package var model: String?
    /// Milliseconds since 1970.
    package var created: Int?
    package var completed: Int?
    /// USD; 0 also when the model has no price.
    package var cost: Double?
    package var tokens: TokenCounts?
    /// 1.x: what a compaction summed the conversation up to.
    package var isSummary = false
    /// Why its last step ended: `stop`, `tool-calls`, `length`, ...
    package var finish: String?
    /// The model's or the user's words, without what OpenCode itself put in.
    package var text: String
    package var toolCalls: [ToolCall]
    /// 2.x: what the message ended with instead of a `finish`.
    package var error: Failure?
    /// 2.x: the request is made again.
    package var retry: Retry?
    /// 2.x: the last thing in it is text.
    package var endsWithText = false
    /// 2.x, of OpenCode's own word to the model: what it is about.
    package var description: String?
  }

  package struct Failure: Sendable, Equatable {
    /// `provider.auth`, `aborted`, ...
    package var type: String?
    package var message: String
    package var status: Int?
  }

  /// Recording `sessions/retrying.messages-meanwhile`.
  package struct Retry: Sendable, Equatable {
    package var attempt: Int
    /// Milliseconds since 1970: when it is tried.
    package var at: Int?
    package var error: Failure?
  }

  package struct ToolCall: Sendable, Equatable {
    package let id: String
    package let tool: String
    /// `completed`, `error`, `running`, `pending`.
    package var status: String?
    package var title: String?
    /// Of a shell tool.
    package var command: String?
    /// Of a shell tool: where it was to start, if it was said.
    package var folder: String?
    /// nil: killed, timed out, not at its end, or no shell tool.
    package var exitCode: Int?
    /// Of a tool that edits: the files it named.
    package var files: [String]
    /// Of a tool that runs a subagent: its session.
    package var childSession: String?
    package var error: String?
    /// Milliseconds since 1970.
    package var started: Int?
    package var ended: Int?
    /// 2.x: what goes on beside the main turn: a shell's id, or a subagent's session.
    package var background: String?
    /// What the model said it is for.
    package var description: String?

    /// It has begun and hasn't come to its end.
    package var isAtWork: Bool { status == "running" }
  }

  /// The sessions that its tools started, in order.
  package var childSessions: [String] {
    var seen: Set<String> = []
    return messages.flatMap(\.toolCalls).compactMap(\.childSession).filter { seen.insert($0).inserted }
  }

  static func parseOpenCode1(_ output: [UInt8]) throws -> SessionExport {
    try decode(Export1.self, output) { SessionExport(info: $0.info.info, messages: $0.messages.map(\.message)) }
  }
  static func parseOpenCode2(_ output: [UInt8]) throws -> SessionExport {
    try decode(Export2.self, output) { SessionExport(info: $0.info.info, messages: $0.messages.map(\.message)) }
  }

  private static func decode<Shape: Decodable>(_ shape: Shape.Type, _ output: [UInt8], _ build: (Shape) -> SessionExport) throws -> SessionExport {
    // Anything printed before the document is skipped.
    guard let start = output.firstIndex(of: UInt8(ascii: "{")) else { throw OpenCodeCommandError.unreadable(command: "export", why: "it holds no JSON") }
    do {
      return build(try JSONDecoder().decode(shape, from: Data(output[start...])))
    } catch {
      throw OpenCodeCommandError.unreadable(command: "export", why: "not a session in JSON, or cut short")
    }
  }
}

// MARK: - The shapes on disk

/// A value that may have any shape: what doesn't fit is absent, instead of making the whole export unreadable.
private struct Lenient<Value: Decodable>: Decodable {
  let value: Value?
  init(from decoder: any Decoder) throws { value = try? Value(from: decoder) }
}

private struct ToolState: Decodable {
  let status: String?
  let title: String?
  let input: Lenient<Input>?
  let metadata: Lenient<Metadata>?
  let error: Lenient<Failure>?
  let time: Lenient<Moments>?

  struct Input: Decodable {
    let command: Lenient<String>?
    let workdir: Lenient<String>?
    let filePath: Lenient<String>?
    let path: Lenient<String>?
    let background: Lenient<Bool>?
    let description: Lenient<String>?
  }

  /// 2.x nests the tool's own metadata one deeper in events, not in exports: both are taken.
  struct Metadata: Decodable {
    let exit: Lenient<Int>?
    let sessionId: Lenient<String>?
    let sessionID: Lenient<String>?
    let shellID: Lenient<String>?
    let status: Lenient<String>?
    let filepath: Lenient<String>?
    let filediff: Lenient<Edited>?
    let files: Lenient<[Lenient<Edited>]>?
    let metadata: Lenient<Inner>?

    struct Inner: Decodable {
      let exit: Lenient<Int>?
      let sessionID: Lenient<String>?
      let shellID: Lenient<String>?
      let files: Lenient<[Lenient<Edited>]>?
    }
  }

  struct Edited: Decodable {
    let file: String?
    let filePath: String?
    let movePath: String?
    var names: [String] { [file, filePath, movePath].compactMap { $0 } }
  }

  struct Failure: Decodable {
    let message: String?
    init(from decoder: any Decoder) throws {
      if let text = try? decoder.singleValueContainer().decode(String.self) {
        message = text
      } else {
        message = try decoder.container(keyedBy: Keys.self).decodeIfPresent(String.self, forKey: .message)
      }
    }
    enum Keys: CodingKey { case message }
  }

  func call(id: String, tool: String, time outer: Moments?) -> SessionExport.ToolCall {
    let (input, metadata) = (input?.value, metadata?.value)
    let inner = metadata?.metadata?.value
    let isShell = ToolNames.shell.contains(tool)
    let edits = ToolNames.edit.contains(tool)
    let edited = [metadata?.filediff?.value].compactMap { $0 } + (metadata?.files?.value ?? inner?.files?.value ?? []).compactMap(\.value)
    var seen: Set<String> = []
    let precise = ([metadata?.filepath?.value].compactMap { $0 } + edited.flatMap(\.names)).filter { seen.insert($0).inserted }
    let named = [input?.filePath?.value, input?.path?.value].compactMap { $0 }
    return SessionExport.ToolCall(
      id: id, tool: tool, status: status, title: title, command: isShell ? input?.command?.value : nil,
      folder: isShell ? input?.workdir?.value : nil,
      exitCode: isShell && status == "completed" ? metadata?.exit?.value ?? inner?.exit?.value : nil, files: edits ? (precise.isEmpty ? named : precise) : [],
      childSession: ToolNames.subagent.contains(tool)
        ? metadata?.sessionId?.value ?? metadata?.sessionID?.value ?? inner?.sessionID?.value : nil,
      error: error?.value?.message, started: time?.value?.start ?? outer?.ran ?? outer?.created, ended: time?.value?.end ?? outer?.completed,
      background: status == "running" && input?.background?.value != true
        ? nil
        : metadata?.shellID?.value ?? inner?.shellID?.value
          ?? (metadata?.status?.value == "running" || input?.background?.value == true ? metadata?.sessionID?.value : nil),
      description: input?.description?.value)
  }
}

private struct Export1: Decodable {
  let info: ExportedInfo
  let messages: [Entry]

  struct Entry: Decodable {
    let info: Info
    let parts: [Lenient<Part>]

    struct Info: Decodable {
      let id: String
      let role: String
      let agent: String?
      let modelID: String?
      let providerID: String?
      let model: Lenient<NamedModel>?
      let cost: Double?
      let tokens: Lenient<CountedTokens>?
      let finish: String?
      /// Of a user's message it is an object.
      let summary: Lenient<Bool>?
      let time: Lenient<Moments>?
    }

    struct Part: Decodable {
      let id: String?
      let type: String
      let text: String?
      let synthetic: Bool?
      let tool: String?
      let callID: String?
      let state: ToolState?
    }

    var message: SessionExport.Message {
      let named = info.modelID.map { id in info.providerID.map { "\($0)/\(id)" } ?? id }
      let parts = parts.compactMap(\.value)
      return SessionExport.Message(
        id: info.id, role: info.role, agent: info.agent, model: named ?? info.model?.value?.full, created: info.time?.value?.created,
        completed: info.time?.value?.completed, cost: info.cost, tokens: info.tokens?.value?.counts,
        isSummary: info.summary?.value == true || info.agent == "compaction", finish: info.finish,
        text: parts.filter { $0.type == "text" && $0.synthetic != true }.compactMap(\.text).joined(separator: "\n"),
        toolCalls: parts.compactMap { part in
          guard part.type == "tool", let tool = part.tool else { return nil }
          return part.state?.call(id: part.callID ?? part.id ?? "", tool: tool, time: nil)
        })
    }
  }
}

/// A page of messages, newest first, as 2.x's `GET /api/session/ID/message` answers.
struct MessagePage: Decodable {
  struct Cursor: Decodable { let next: String? }
  fileprivate let data: [Export2.Entry]
  let cursor: Cursor?

  var messages: [SessionExport.Message] { data.map(\.message) }
}

private struct Export2: Decodable {
  let info: ExportedInfo
  let messages: [Entry]

  struct Entry: Decodable {
    let id: String
    let type: String?
    let role: String?
    let text: Lenient<String>?
    let agent: String?
    let model: Lenient<NamedModel>?
    let time: Lenient<Moments>?
    let content: Lenient<[Lenient<Content>]>?
    let finish: String?
    let cost: Double?
    let tokens: Lenient<CountedTokens>?
    let error: Lenient<ToldFailure>?
    let retry: Lenient<ToldRetry>?
    let description: Lenient<String>?

    struct ToldFailure: Decodable {
      let type: String?
      let message: String?
      let status: Int?

      var failure: SessionExport.Failure {
        SessionExport.Failure(type: type, message: OpenCode2Events.withoutBody(message ?? type ?? "error without a message"), status: status)
      }
    }

    struct ToldRetry: Decodable {
      let attempt: Int?
      let at: Int?
      let error: Lenient<ToldFailure>?
    }

    struct Content: Decodable {
      let type: String
      let id: String?
      let name: String?
      let text: String?
      let state: ToolState?
      let time: Lenient<Moments>?
    }

    var message: SessionExport.Message {
      let content = (content?.value ?? []).compactMap(\.value)
      let words = [text?.value].compactMap { $0 } + content.filter { $0.type == "text" }.compactMap(\.text)
      return SessionExport.Message(
        id: id, role: type ?? role ?? "unknown", agent: agent, model: model?.value?.full, created: time?.value?.created,
        completed: time?.value?.completed, cost: cost, tokens: tokens?.value?.counts, finish: finish, text: words.joined(separator: "\n"),
        toolCalls: content.compactMap { part in
          guard part.type == "tool", let tool = part.name else { return nil }
          return part.state?.call(id: part.id ?? "", tool: tool, time: part.time?.value)
        },
        error: error?.value?.failure,
        retry: retry?.value.map { SessionExport.Retry(attempt: $0.attempt ?? 1, at: $0.at, error: $0.error?.value?.failure) },
        endsWithText: content.last { $0.type != "reasoning" }.map { $0.type == "text" && $0.text?.contains { !$0.isWhitespace } == true } ?? false,
        description: description?.value)
    }
  }
}
