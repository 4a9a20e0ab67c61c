/// Shell completions: the commands, their options, and the ids of the runs that are kept.
package enum Completions {
  /// A command, what it does in a few words, and its options.
  package struct Entry: Sendable {
    package let name: String
    package let summary: String
    package let options: [String]
    /// It takes a run's id.
    package let takesRun: Bool
    /// It takes paths of files.
    package let takesPaths: Bool

    package init(_ name: String, _ summary: String, options: [String] = [], takesRun: Bool = false, takesPaths: Bool = false) {
      self.name = name
      self.summary = summary
      self.options = options
      self.takesRun = takesRun
      self.takesPaths = takesPaths
    }
  }

  package static let shells = ["bash", "zsh", "fish"]

  /// nil: not one of `shells`.
  package static func script(for shell: String, _ entries: [Entry]) -> String? {
    switch shell {
    case "bash": bash(entries)
    case "zsh": zsh(entries)
    case "fish": fish(entries)
    default: nil
    }
  }

  private static let listRuns = "opencode-worker runs --ids 2>/dev/null"

  private static func bash(_ entries: [Entry]) -> String {
    let cases = entries.map { entry in
      let runs = entry.takesRun ? " $(\(listRuns))" : ""
      return "    \(entry.name)) words=\"\(entry.options.joined(separator: " "))\(runs)\" ;;"
    }
    return """
      # bash completion of opencode-worker
      _opencode_worker() {
        local current=${COMP_WORDS[COMP_CWORD]} words
        if [ "$COMP_CWORD" -eq 1 ]; then
          words="\(entries.map(\.name).joined(separator: " "))"
        else
          case ${COMP_WORDS[1]} in
      \(cases.joined(separator: "\n"))
          *) words="" ;;
          esac
        fi
        COMPREPLY=($(compgen -W "$words" -- "$current"))
      }
      complete -o bashdefault -o default -F _opencode_worker opencode-worker

      """
  }

  private static func zsh(_ entries: [Entry]) -> String {
    let commands = entries.map { "    '\($0.name):\($0.summary.filter { $0 != "'" && $0 != ":" })'" }.joined(separator: "\n")
    let cases = entries.map { entry in
      let runs = entry.takesRun ? " ${(f)\"$(\(listRuns))\"}" : ""
      let paths = entry.takesPaths ? "; _files" : ""
      return "    \(entry.name)) compadd -- \(entry.options.joined(separator: " "))\(runs)\(paths) ;;"
    }
    return """
      #compdef opencode-worker
      # zsh completion of opencode-worker: evaluated, or a file _opencode-worker on the function path
      _opencode_worker() {
        local -a commands
        commands=(
      \(commands)
        )
        if (( CURRENT == 2 )); then
          _describe command commands
          return
        fi
        case ${words[2]} in
      \(cases.joined(separator: "\n"))
        esac
      }
      if [[ ${funcstack[1]} == _opencode-worker ]]; then
        _opencode_worker "$@"
      else
        (( ${+functions[compdef]} )) || { autoload -Uz compinit && compinit }
        compdef _opencode_worker opencode-worker
      fi

      """
  }

  private static func fish(_ entries: [Entry]) -> String {
    var lines = ["# fish completion of opencode-worker", "complete -c opencode-worker -f"]
    for entry in entries {
      let summary = entry.summary.filter { $0 != "'" && $0 != "\\" }
      lines.append("complete -c opencode-worker -n __fish_use_subcommand -a \(entry.name) -d '\(summary)'")
      let inside = "-n '__fish_seen_subcommand_from \(entry.name)'"
      for option in entry.options {
        let word = option.drop { $0 == "-" }
        let kind = option.hasPrefix("--") ? "-l" : option.hasPrefix("-") ? "-s" : "-a"
        lines.append("complete -c opencode-worker \(inside) \(kind) \(word)")
      }
      if entry.takesPaths { lines.append("complete -c opencode-worker \(inside) -F") }
      if entry.takesRun { lines.append("complete -c opencode-worker \(inside) -a '(\(listRuns))'") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
