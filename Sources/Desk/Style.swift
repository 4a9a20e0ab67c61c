import Text

/// Colours, or none: for whoever prints to a terminal.
package struct Style: Sendable {
  package let isOn: Bool

  package init(isOn: Bool) { self.isOn = isOn }

  /// On a terminal, unless `NO_COLOR` is set (https://no-color.org) or the terminal is `dumb`.
  package init(isTerminal: Bool, environment: [String: String]) {
    isOn = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  package static let plain = Style(isOn: false)

  /// Whether the terminal takes UTF-8, as POSIX says it: the first of these that is set. Where none is it does, as nearly all do.
  package static func isUTF8(_ environment: [String: String]) -> Bool {
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    return name.map { $0.lowercased().replacing("-", with: "").contains("utf8") } ?? true
  }

  package func bold(_ text: String) -> String { wrap(text, "1") }
  package func dim(_ text: String) -> String { wrap(text, "2") }
  package func red(_ text: String) -> String { wrap(text, "31") }
  package func green(_ text: String) -> String { wrap(text, "32") }
  package func yellow(_ text: String) -> String { wrap(text, "33") }
  package func cyan(_ text: String) -> String { wrap(text, "36") }

  /// A run's state in the colour of what it means.
  package func state(_ state: String) -> String {
    switch state {
    case "completed": green(state)
    case "failed", "lost": red(state)
    case "incomplete": yellow(state)
    default: cyan(state)
    }
  }

  private func wrap(_ text: String, _ code: String) -> String { isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

/// Words and figures as people read them.
package enum Words {
  /// "0.4 s", "12 s", "3m 05s", "2h 07m".
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 10 { return "\(Double(Int(seconds * 10)) / 10) s" }
    let whole = Int(seconds)
    if whole < 60 { return "\(whole) s" }
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return whole < 3600 ? "\(whole / 60)m \(two(whole % 60))s" : "\(whole / 3600)h \(two(whole / 60 % 60))m"
  }

  /// "$0.0931".
  package static func money(_ dollars: Double) -> String {
    guard dollars.isFinite, dollars >= 0, dollars < 1e9 else { return "?" }
    let places = dollars < 1 ? 10_000 : 100
    let units = Int((dollars * Double(places)).rounded())
    let fraction = String(units % places)
    let digits = places == 100 ? 2 : 4
    return "$\(units / places).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  /// "48,210".
  package static func grouped(_ number: Int) -> String {
    var digits = String(number.magnitude)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }

  /// Seconds without a fraction, for what is drawn each second: "3 s", "3m 05s".
  package static func whole(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 10 else { return duration(seconds) }
    return "\(Int(seconds)) s"
  }

  /// "12,001 files", "1 file".
  package static func counted(_ number: Int, _ noun: String) -> String { "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")" }

  /// One line that may be printed, at most `bytes` bytes long. Escape sequences go as a whole.
  package static func line(_ text: String, _ bytes: Int) -> String { TerminalText.printable(TerminalText.plain(text).oneLine(bytes)) }
}
