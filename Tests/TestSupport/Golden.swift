import Foundation
import JSON
import PosixSupport
import Testing

/// Outputs that are kept as files under `Tests/Fixtures/golden`, and compared whole. `UPDATE_GOLDEN=1` renews them: then look at the difference.
package enum Golden {
  package static var isRenewed: Bool { ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" }

  /// An issue of the test, with the first difference, where `text` isn't what the file of that name holds.
  /// - Throws: `PosixError` when the file can't be read or written
  package static func check(_ text: String, from name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let difference = try difference(text, fromFile: "\(Fixture.folder)/golden/\(name)") { _ in text }
    if let difference { Issue.record(Comment(rawValue: difference), sourceLocation: sourceLocation) }
  }

  /// The first difference between `text` and a part of a file; nil: there is none, or the file was renewed.
  /// - Parameter renewed: the whole file with the part renewed
  package static func difference(_ text: String, fromFile path: String, within part: (String) -> String? = { $0 }, renewed: (String) -> String) throws
    -> String?
  {
    let whole = PrivateFiles.exists(path) ? String(decoding: try PrivateFiles.read(path), as: UTF8.self) : ""
    guard let kept = part(whole) else { return "\(path) has no such part" }
    if kept == text { return nil }
    if isRenewed {
      try PrivateFiles.createFolder((path as NSString).deletingLastPathComponent)
      try PrivateFiles.replace(path, with: Array(renewed(whole).utf8), mode: 0o644)
      return nil
    }
    let (old, new) = (kept.components(separatedBy: "\n"), text.components(separatedBy: "\n"))
    let place = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(old.count, new.count)
    func line(_ lines: [String]) -> String { lines.indices.contains(place) ? lines[place] : "(nothing)" }
    return "\(path), line \(place + 1) of the part:\n  kept: \(line(old))\n  now:  \(line(new))\nUPDATE_GOLDEN=1 renews it.\n\nnow:\n\(text)"
  }

  /// JSON for people: what fits into a row of `width` characters is in one.
  package static func text(_ value: JSONValue, width: Int = 140, indent: Int = 0) -> String {
    let flat = row(value)
    if flat.count + indent <= width { return flat }
    let inner = String(repeating: " ", count: indent + 2)
    let outer = String(repeating: " ", count: indent)
    switch value {
    case .object(let object):
      let rows = object.members.map { name, member in
        let key = JSONValue.string(name).text + ": "
        // The member's own row begins behind its name.
        let flat = row(member)
        return inner + key + (indent + 2 + key.count + flat.count <= width ? flat : text(member, width: width, indent: indent + 2))
      }
      return "{\n" + rows.joined(separator: ",\n") + "\n\(outer)}"
    case .array(let elements):
      return "[\n" + elements.map { inner + text($0, width: width, indent: indent + 2) }.joined(separator: ",\n") + "\n\(outer)]"
    default: return flat
    }
  }

  private static func row(_ value: JSONValue) -> String {
    switch value {
    case .object(let object) where object.members.isEmpty: "{}"
    case .object(let object): "{ " + object.members.map { JSONValue.string($0.key).text + ": " + row($0.value) }.joined(separator: ", ") + " }"
    case .array(let elements) where elements.isEmpty: "[]"
    case .array(let elements): "[ " + elements.map(row).joined(separator: ", ") + " ]"
    default: value.text
    }
  }
}

extension World {
  /// A reply in which everything that differs from run to run is replaced: ids, times, seconds, folders.
  package func settled(_ reply: JSONValue) -> JSONValue {
    switch reply {
    case .object(let object):
      .object(
        JSONObject(
          object.members.map { name, value in
            switch (name, value) {
            case ("startedAt", .string): (name, "2026-11-22T16:28:03Z")
            case ("at", .string): (name, "2026-11-22T16:30:58Z")
            case ("endedAt", .string): (name, "2026-11-22T16:31:07Z")
            case ("seconds", .number), ("seconds", .integer): (name, .number(184.2))
            default: (name, settled(value))
            }
          }))
    case .array(let elements): .array(elements.map(settled))
    case .string(let text): .string(settled(text))
    default: reply
    }
  }

  /// The same for what a person is shown.
  /// - Parameter collapsing: columns are as wide as what differs from run to run: spaces between them count as two
  package func settledScreen(_ text: String, collapsing: Bool = false) -> String {
    let plain = settled(text).replacing(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+/, with: "2026-11-22 16:31:07 UTC")
      .replacing(/\d{4}-\d\d-\d\d \d\d:\d\d(?!:)/, with: "2026-11-22 16:28").replacing(/\b\d\d:\d\d:\d\d\b(?! UTC)/, with: "16:28:03")
      .replacing(/\b(?:\d+(?:\.\d+)? s|\d+m \d\ds|\d+h \d\dm)\b/, with: "9 s").replacing(/kill -- -\d+/, with: "kill -- -4242")
      // A tool's time is shown from a second on.
      .replacing(#/(?m)(  exit \d+|^16:28:03  .*)  9 s$/#) { $0.1 }
    return collapsing ? plain.replacing(#/ {2,}/#, with: "  ") : plain
  }

  private func settled(_ text: String) -> String {
    text.replacing(path("state"), with: "/home/me/.local/state/codex-opencode-worker").replacing(repository, with: "/home/me/project")
      .replacing(root, with: "/home/me").replacing(/\d{8}-\d{6}-[2-9a-z]{4}/, with: "20261122-162803-k3f9")
      .replacing(/ses_[0-9A-Za-z]+/, with: "ses_dfb5b562affe42w1mZ7TjS95O9").replacing(/last \d+ s ago/, with: "last 9 s ago")
      .replacing(/last (\d+ s before|at) its end/, with: "last 9 s before its end")
  }
}
