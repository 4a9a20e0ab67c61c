import Text

/// A provider for which OpenCode has a credential, or finds a key in the environment.
/// Recording: `1.18.34/auth-list`. The form of 2.x is only known from its source.
package struct SignedInProvider: Sendable, Equatable {
  /// As OpenCode shows it: often the display name ("GitHub Copilot"), not the id.
  package let name: String
  /// Set where OpenCode tells it.
  package var id: String?
  /// `oauth`, `api`, or the name of the variable that holds the key.
  package var kind: String?

  package init(name: String, id: String? = nil, kind: String? = nil) {
    self.name = name
    self.id = id
    self.kind = kind
  }

  /// Whether this is the provider of that id, as far as names tell: case, blanks and punctuation don't count.
  package func matches(_ provider: String) -> Bool {
    func plain(_ text: String) -> String { String(text.lowercased().filter { $0.isLetter || $0.isNumber }) }
    return [name, id].compactMap { $0 }.contains { plain($0) == plain(provider) }
  }
}

extension SignedInProvider {
  /// Reads the drawing of `auth list`: a bullet, the name, the kind.
  static func parseDrawing(_ output: String) throws -> [SignedInProvider] {
    let lines = TerminalText.plain(output).split(whereSeparator: \.isNewline)
    guard lines.contains(where: { $0.hasPrefix("┌") }) else { throw OpenCodeCommandError.unreadable(command: "auth list", why: "not the known drawing") }
    return lines.compactMap { line in
      guard line.hasPrefix("●") else { return nil }
      let words = line.dropFirst().split(separator: " ")
      guard let kind = words.last, words.count > 1 else { return words.first.map { SignedInProvider(name: String($0)) } }
      return SignedInProvider(name: words.dropLast().joined(separator: " "), kind: String(kind))
    }
  }

  /// Reads a list of objects, `[{id, name, connections: [{type, label|name}]}]`, or an object with a member for each provider.
  static func parseJSON(_ output: String) throws -> [SignedInProvider] {
    guard let start = output.firstIndex(where: { "[{".contains($0) }), let json = try? ConfigText.parse(String(output[start...])) else {
      throw OpenCodeCommandError.unreadable(command: "auth list", why: "not JSON")
    }
    let root = json["data"] ?? json["credentials"] ?? json
    if let members = root.object?.members {
      return members.map { SignedInProvider(name: $0.value["name"]?.string ?? $0.key, id: $0.key, kind: $0.value["type"]?.string) }
    }
    return (root.array ?? []).compactMap { row in
      let id = (row["providerID"] ?? row["provider"] ?? row["id"])?.string
      guard let name = row["name"]?.string ?? id ?? row.string else { return nil }
      guard let connections = row["connections"]?.array else { return SignedInProvider(name: name, id: id, kind: row["type"]?.string) }
      // Without a connection it is one that somebody could sign in to.
      guard let connection = connections.first else { return nil }
      return SignedInProvider(name: name, id: id, kind: connection["name"]?.string ?? connection["type"]?.string)
    }
  }
}
