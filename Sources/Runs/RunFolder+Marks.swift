import Foundation
import PosixSupport

/// What processes that know nothing of each other tell about a run's end: a small file each in the run's folder, a line for each telling.
package enum RunMark: String, Sendable {
  /// A reply with the review has been sent: to a conversation, or to a person (`RunMark.person`).
  case reviewed
  /// The hook at a turn's end has asked a conversation for the review.
  case reminded
  /// The supervisor has asked Codex to begin a turn.
  case woken
  /// The user's own program (`EndCall`) has been called.
  case called
  /// A turn of the conversation that told of the run's end itself, while it was going on.
  case told
  /// The conversation's turn is over, or its hook is waiting for the run; locked while the hook lives.
  case stopping
  /// The user has interrupted the conversation's turn: what is sent to a call from before reaches nobody.
  case interrupted

  /// Those by which a conversation shows that it knows of the end.
  package static let endTaken: [RunMark] = [.reviewed, .reminded]

  /// The reader who is no conversation.
  package static let person = "-"
}

extension RunFolder {
  package func path(of mark: RunMark) -> String { path + "/" + mark.rawValue }

  /// Adds a line. Many may do so at once.
  /// - Throws: `PosixError`
  package func add(_ mark: RunMark, by reader: String) throws {
    // A folder that is gone is a run that somebody wants forgotten.
    guard PrivateFiles.exists(path) else { return }
    let file = try Descriptor.openPrivate(path(of: mark), O_WRONLY | O_APPEND)
    defer { file.close() }
    try file.writeAll(Array("\(RunFolder.word(reader)) \(Date().timeIntervalSince1970)\n".utf8))
  }

  /// Who has left this mark, and when last; seconds since 1970. Lines that aren't whole are passed over.
  package func readers(of mark: RunMark) -> [String: Double] {
    guard let bytes = try? PrivateFiles.read(path(of: mark), limit: 1 << 20) else { return [:] }
    var found: [String: Double] = [:]
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let at = Double(words[1]) else { continue }
      found[String(words[0])] = at
    }
    return found
  }

  /// The same mark, and a lock that says that its writer lives: gone with the process, however it ends.
  /// - Throws: `PosixError`
  package func addHeld(_ mark: RunMark, by reader: String) throws -> Descriptor? {
    guard PrivateFiles.exists(path) else { return nil }
    let file = try Descriptor.openPrivate(path(of: mark), O_WRONLY | O_APPEND)
    // Shared: two hooks may wait for one run.
    _ = flock(file.raw, LOCK_SH | LOCK_NB)
    try file.writeAll(Array("\(RunFolder.word(reader)) \(Date().timeIntervalSince1970)\n".utf8))
    return file
  }

  /// Whether a process that has left this mark is still alive.
  package func isHeld(_ mark: RunMark) -> Bool {
    guard let file = try? Descriptor.open(path(of: mark), O_RDONLY) else { return false }
    defer { file.close() }
    return flock(file.raw, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  /// Whether one of these conversations has left the mark since then, in seconds since 1970.
  package func has(_ mark: RunMark, by conversation: Conversation, since: Double) -> Bool {
    readers(of: mark).contains { conversation.ids.contains($0.key) && $0.value >= since }
  }

  /// Whether one of these conversations has left the mark.
  package func has(_ mark: RunMark, by conversation: Conversation) -> Bool { readers(of: mark).keys.contains { conversation.ids.contains($0) } }

  fileprivate static func word(_ text: String) -> String { String(text.prefix(128).map { $0.isWhitespace ? "_" : $0 }) }
}

/// One of Codex's conversations: a thread, and the session that it shares with its sub-agents.
package struct Conversation: Sendable, Equatable {
  package let ids: Set<String>

  package init(_ ids: [String?]) { self.ids = Set(ids.compactMap { $0.map(RunFolder.word) }) }

  /// Whether it has started this run, itself or by a sub-agent.
  package func started(_ request: RunRequest) -> Bool { !ids.isDisjoint(with: Conversation([request.threadID, request.sessionID]).ids) }
}
