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

  /// Paths and the like, for who wants to know more.
  package let detail: String?

  package init(_ name: String, _ verdict: Verdict, _ text: String, mend: String? = nil, detail: String? = nil) {
    (self.name, self.verdict, self.text, self.mend, self.detail) = (name, verdict, text, mend, detail)
  }

  package static func ok(_ name: String, _ text: String, detail: String? = nil) -> Check { Check(name, .ok, text, detail: detail) }
  package static func warning(_ name: String, _ text: String, mend: String? = nil, detail: String? = nil) -> Check {
    Check(name, .warning, text, mend: mend, detail: detail)
  }
  package static func problem(_ name: String, _ text: String, mend: String? = nil, detail: String? = nil) -> Check {
    Check(name, .problem, text, mend: mend, detail: detail)
  }

  /// For a person: one line, and with the detail one more.
  package func line(verbose: Bool) -> String {
    let mark = verdict.rawValue + String(repeating: " ", count: 7 - verdict.rawValue.count)
    let line = "\(mark)  \(name): \(text)" + (mend.map { "  ->  \($0)" } ?? "")
    return line + (verbose ? detail.map { "\n         \($0)" } ?? "" : "")
  }

  package var json: JSONValue {
    var object: JSONObject = ["name": .string(name), "verdict": .string(verdict.rawValue), "text": .string(text)]
    object["mend"] = mend.map { .string($0) }
    object["detail"] = detail.map { .string($0) }
    return .object(object)
  }
}

extension [Check] {
  package var worst: Check.Verdict { map(\.verdict).max() ?? .ok }

  /// What `doctor --json` prints.
  package var report: JSONValue { ["verdict": .string(worst.rawValue), "checks": .array(map(\.json))] }
}
