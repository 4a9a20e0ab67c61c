/// What a command would do, decided before anything is done: printed by `--dry-run`, else performed in order.
struct SetupStep {
  /// Such as "add the plugin to /home/x/.agents/plugins/marketplace.json".
  let text: String
  let perform: () throws -> Void
}

/// The words behind `install` and `uninstall`.
struct SetupOptions: Equatable {
  var direct = false
  var enable = false
  var dryRun = false
  var help = false

  /// - Throws: `SetupRefusal` on an unknown word
  init(_ arguments: [String], allowed: Set<String>) throws {
    for argument in arguments {
      guard allowed.contains(argument) || argument == "--help" || argument == "-h" else {
        throw SetupRefusal("unknown argument \(argument); known: \((allowed.sorted() + ["--help"]).joined(separator: ", "))")
      }
      switch argument {
      case "--direct": direct = true
      case "--enable": enable = true
      case "--dry-run": dryRun = true
      default: help = true
      }
    }
  }
}
