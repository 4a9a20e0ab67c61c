import Text

/// What a command would do, decided before anything is done: printed by `--dry-run`, else performed in order.
package struct SetupStep {
  /// Such as "add the plugin to /home/x/.agents/plugins/marketplace.json".
  package let text: String
  package let perform: () throws -> Void
}

/// The words behind `install` and `uninstall`.
package struct SetupOptions: Equatable {
  package var direct = false
  package var enable = false
  package var hooks = false
  package var wake = false
  package var approve = false
  package var dryRun = false
  package var help = false

  /// - Throws: `SetupRefusal` on an unknown word
  package init(_ arguments: [String], allowed: Set<String>) throws {
    for argument in arguments {
      guard allowed.contains(argument) || argument == "--help" || argument == "-h" else {
        let known = allowed.sorted() + ["--help"]
        let nearest = EditDistance.closest(to: argument, in: known).map { "; did you mean \($0)?" }
        throw SetupRefusal("unknown option \(TextCut.firstLine(argument, bytes: 80))" + (nearest ?? "; it takes \(known.joined(separator: ", "))"))
      }
      switch argument {
      case "--direct": direct = true
      case "--enable": enable = true
      case "--hooks": hooks = true
      case "--wake": wake = true
      case "--approve": approve = true
      case "--dry-run": dryRun = true
      default: help = true
      }
    }
  }
}
