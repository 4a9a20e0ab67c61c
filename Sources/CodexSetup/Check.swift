import JSON

/// One thing that `doctor` looked at.
package struct Check: Sendable, Equatable {
  package enum Verdict: String, Sendable, CaseIterable, Comparable {
    case ok, warning, problem

    package static func < (left: Verdict, right: Verdict) -> Bool {
      (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
  }

  /// What was looked at, in a word or two: `codex`, `state folder`.
  package let name: String
  package let verdict: Verdict
  /// What was found.
  package let text: String
  /// The command that mends it, or what to do.
  package let mend: String?

  package static func ok(_ name: String, _ text: String) -> Check { Check(name: name, verdict: .ok, text: text, mend: nil) }
  package static func warning(_ name: String, _ text: String, mend: String? = nil) -> Check { Check(name: name, verdict: .warning, text: text, mend: mend) }
  package static func problem(_ name: String, _ text: String, mend: String? = nil) -> Check { Check(name: name, verdict: .problem, text: text, mend: mend) }

  /// One line for a person.
  package var line: String {
    let mark = verdict.rawValue + String(repeating: " ", count: 7 - verdict.rawValue.count)
    return "\(mark)  \(name): \(text)" + (mend.map { "  ->  \($0)" } ?? "")
  }

  package var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "verdict": .string(verdict.rawValue), "text": .string(text)]
    object["mend"] = mend.map { .string($0) }
    return .object(object)
  }
}

extension [Check] {
  package var worst: Check.Verdict { map(\.verdict).max() ?? .ok }

  /// What `doctor --json` prints.
  package var report: JSONValue { ["verdict": .string(worst.rawValue), "checks": .array(map(\.json))] }
}
