/// What is known of programs, builtins and variables by their names.
enum ShellNames {
  // MARK: Commands

  /// Builtins and reserved words of bash, dash, zsh, mksh, ksh and busybox that can change what follows, or whose exit says little.
  /// Taken from `compgen -b -k`, `$builtins` and `$reswords` with all modules, `builtin`, and the manuals.
  static let refused: Set<String> = [
    "!", "-", ".", "[[", "]]", "alias", "autoload", "bg", "bind", "bindkey", "break", "builtin", "bye", "caller", "cap", "case", "catch", "chdir",
    "comparguments", "compadd", "compcall", "compctl", "compdescribe", "compfiles", "compgen", "compgroups", "complete", "compopt", "compound", "compquote",
    "compset", "comptags", "comptry", "compvalues", "continue", "coproc", "declare", "dirs", "disable", "disown", "do", "done", "echotc", "echoti", "elif",
    "else", "emulate", "enable", "end", "enum", "esac", "eval", "exec", "exit", "fc", "fg", "fi", "float", "for", "foreach", "function", "functions",
    "getcap", "getln", "getopts", "global", "hash", "hist", "history", "if", "in", "integer", "jobs", "kill", "let", "limit", "local", "log", "login",
    "logout", "mapfile", "nameref", "namespace", "newgrp", "nocorrect", "noglob", "popd", "print", "private", "pushd", "pushln", "r", "read", "readarray",
    "readonly", "redirect", "rehash", "repeat", "return", "sched", "select", "set", "setcap", "setopt", "shift", "shopt", "source", "stop", "suspend", "then",
    "times", "trap", "ttyctl", "typeset", "ulimit", "umask", "unalias", "unfunction", "unhash", "unlimit", "unset", "unsetopt", "until", "vared", "wait",
    "while", "zcompile", "zcurses", "zformat", "zftp", "zle", "zmodload", "zparseopts", "zprof", "zpty", "zregexparse", "zselect", "zsocket", "zstat",
    "zstyle", "zsystem", "ztcp", "ztie", "zuntie", "{", "}", "always", "try", "throw", "sysopen", "sysread", "sysseek", "syswrite",
  ]

  /// Commands that change no file, whatever their words are.
  static let quiet: Set<String> = [
    "echo", "printf", "true", "false", ":", "pwd", "test", "[", "cd", "export", "type", "which", "cat", "head", "tail", "grep", "wc", "ls", "date", "sleep",
  ]

  /// What of git only tells. (`git diff --output=FILE` writes one.)
  static let quietOfGit: Set<String> = ["status", "rev-parse", "ls-files", "blame"]

  /// Commands that leave others running by themselves.
  static let detaching: Set<String> = ["setsid", "disown", "tmux", "screen", "at", "batch", "daemon", "daemonize", "systemd-run", "start-stop-daemon"]

  /// Commands whose words reach no other command, when their output doesn't.
  static let telling: Set<String> = ["git", "gh", "echo", "printf", "grep", "rg"]

  /// Of the refused ones, those that only begin or join other commands: what follows them is read as a command of its own.
  static let joining: Set<String> = ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "always"]

  /// The shells that read the understood forms alike.
  static let shells: Set<String> = ["sh", "bash", "zsh", "dash", "ksh", "mksh", "ash"]

  /// Programs that run the command in their words, with its exit code.
  static let wrappers: Set<String> = ["env", "nohup", "command", "time", "nice", "timeout", "gtimeout"]

  /// Folders in which a program of a known name is the known program.
  private static let systemFolders: Set<String> = ["/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]

  /// A program by its bare name or its path in one of the system's folders.
  static func trusted(_ name: String) -> String? {
    guard let slash = name.utf8.lastIndex(of: UInt8(ascii: "/")) else { return name }
    return systemFolders.contains(String(name[..<slash])) ? String(name[name.index(after: slash)...]) : nil
  }

  /// The program's name without its folder.
  static func base(_ word: String) -> String { word.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(word[word.index(after: $0)...]) } ?? word }

  /// These run text, of their words, their input or a file: behind other programs too.
  private static let interpreters: Set<String> = shells.union(["su", "ssh", "xargs", "parallel", "fish", "pwsh", "busybox"])
  /// These run a program of their own language, which can start others: what stands on their input, when no file is named.
  private static let languages: Set<String> = ["python", "python3", "perl", "ruby", "node", "deno", "php", "lua", "tclsh"]
  /// These when they are what is started.
  private static let starters: Set<String> = [
    "eval", "source", ".", "trap", "alias", "at", "batch", "script", "watch", "unbuffer", "tmux", "screen", "concurrently", "npm-run-all", "nix-shell",
    "runuser", "hyperfine", "entr", "nodemon", "watchexec", "expect", "coproc", "osascript", "cmd", "npx", "docker", "podman", "kubectl", "flock", "setsid",
    "doas", "sudo", "direnv", "mise", "builtin", "exec", "noglob", "nocorrect", "ed", "ex", "vi", "vim",
    "nvim",
  ]

  /// Whether a word names a program that runs text of its words or its input.
  static func runsText(_ word: ShellWord) -> Bool {
    let base = word.base
    guard (2...8).contains(base.count), let name = word.ascii else { return false }
    return interpreters.contains(ShellNames.base(name)) || name == "eval"
  }

  /// Whether a command adds words to the command that it runs.
  static func makesCommands(_ command: ShellSimple) -> Bool {
    command.words.contains { word in
      (3...8).contains(word.base.count) && word.ascii.map { ["xargs", "parallel", "find", "git"].contains(base($0)) } ?? false
    }
  }

  /// Whether a command runs text.
  static func isInterpreter(_ command: ShellSimple) -> Bool {
    if command.interpreter != nil { return true }
    guard let first = command.name.map(base) else {
      // `sh$NONE` may be a shell.
      return !(command.words.first?.isLiteral ?? true) && !isBracketTest(command.words)
    }
    switch first {
    case "env" where command.words.contains { $0.ascii == nil }: return true
    case "git", "find": return !command.runsNoWord
    case _ where languages.contains(first) && command.words.dropFirst().allSatisfy(\.isOption): return true
    default: return starters.contains(first) || (!command.runsNoWord && command.words.contains { ["-", "-f-", "/dev/stdin"].contains($0.ascii) })
    }
  }

  /// Whether a program runs others that may stand in no word of it.
  static func startsAny(_ name: String) -> Bool { interpreters.contains(name) || starters.contains(name) || wrappers.contains(name) }

  /// These run none of their words.
  private static let harmless: Set<String> = [
    "echo", "printf", "cat", "ls", "rm", "cp", "mv", "ln", "chmod", "chown", "touch", "mkdir", "rmdir", "grep", "egrep", "fgrep", "which", "type",
    "whereis", "head", "tail", "wc", "file", "stat", "test", "[", "cd", "export", "diff", "cmp", "sort", "uniq", "tee", "basename",
    "dirname", "realpath", "readlink", "tree", "du", "apropos", "whatis", "hash", "unset", "set", "true", "false", ":", "dpkg", "rpm", "brew", "apt",
    "apt-get", "apk", "dnf", "yum", "pacman", "pip", "pip3", "gem", "pkill", "pgrep", "killall", "shasum", "sha256sum", "md5sum", "xxd", "od", "column", "tr",
    "cut", "comm", "sleep", "declare", "typeset", "local", "readonly", "for", "case", "select", "function", "shellcheck", "shfmt", "bat", "code", "nano", "jq",
    "curl",
  ]
  private static let managers: Set<String> = ["npm", "pnpm", "yarn", "bun", "uv", "poetry", "pipenv", "pdm", "hatch", "cargo", "go", "mise", "asdf", "conda"]
  private static let managing: Set<String> = [
    "install", "i", "add", "remove", "rm", "uninstall", "update", "upgrade", "show", "info", "view", "ls", "list", "why", "outdated", "get", "help", "pip",
  ]

  /// `[[`, whose words name no files to be looked for.
  static func isBracketTest(_ words: [ShellWord]) -> Bool { words.first?.bytes == Array("[[".utf8) }

  /// What of git runs words of its own, or sets what it runs.
  private static let startingOfGit: Set<String> = ["bisect", "rebase", "submodule", "filter-branch", "config", "difftool", "mergetool"]

  /// Whether none of a command's words can be a command that it runs.
  static func runsNoWord(_ name: String?, _ words: [ShellWord]) -> Bool {
    guard let first = name.map(base) else { return isBracketTest(words) }
    if harmless.contains(first) { return true }
    let second = words.count > 1 ? words[1].ascii : nil
    switch first {
    case "git": return words.count < 2 || second.map { !startingOfGit.contains($0) && !$0.hasPrefix("-") } ?? false
    case "gh": return second != "alias" && second != "extension"
    case "rg": return !words.contains { $0.ascii.map { $0 == "--pre" || $0.hasPrefix("--pre=") } ?? false }
    case "ag": return !words.contains { $0.ascii?.hasPrefix("--p") ?? false }
    case "find": return !words.contains { $0.has(ShellWord.unquotedExpansion) || ["-exec", "-execdir", "-ok", "-okdir"].contains($0.ascii) }
    case "command": return second == "-v" || second == "-V"
    default: return managers.contains(first) && second.map(managing.contains) ?? false
    }
  }

  // MARK: Variables

  static func isVariable(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(UInt16(first)) else { return false }
    return name.utf8.allSatisfy(isNameByte)
  }

  static func isDigit(_ unit: UInt16) -> Bool { (0x30...0x39).contains(unit) }

  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
    default: false
    }
  }

  private static let shellVariables: Set<String> = [
    "ENV", "IFS", "HOME", "PWD", "OLDPWD", "SHELL", "SHELLOPTS", "LINENO", "RANDOM", "SRANDOM", "SECONDS", "UID", "EUID", "GID", "EGID", "PPID", "PGRP",
    "GROUPS", "DIRSTACK", "FUNCNAME", "FUNCNEST", "HOSTNAME", "HOSTTYPE", "MACHTYPE", "OSTYPE", "CPUTYPE", "VENDOR", "HOST", "SHLVL", "COLUMNS", "LINES",
    "ARGC", "ARGV", "ERRNO", "LOGNAME", "OPTARG", "OPTIND", "OPTERR", "TRY_BLOCK_ERROR", "TRY_BLOCK_INTERRUPT", "TTY", "TTYIDLE", "USERNAME", "BAUD",
    "NULLCMD", "READNULLCMD", "REPLY", "STTY", "TMOUT", "EPOCHREALTIME", "EPOCHSECONDS", "COPROC", "MAPFILE", "GLOBIGNORE", "EXECIGNORE", "IGNOREEOF",
    "POSIXLY_CORRECT", "SAVEHIST", "KEYTIMEOUT", "LISTMAX", "MAILCHECK", "DIRSTACKSIZE", "TIMEFMT", "TIMEFORMAT", "REPORTTIME", "REPORTMEMORY", "CHILD_MAX",
    "TMPPREFIX", "WORDCHARS", "PROMPT", "_", "WATCH", "LOGCHECK", "PATH", "CDPATH", "FPATH", "MANPATH", "MODULE_PATH", "MAILPATH", "FIGNORE",
  ]
  private static let shellPrefixes = [
    "BASH", "ZSH", "ZDOT", "LD_", "DYLD_", "ARGV", "PS", "HIST", "COMP_", "READLINE", "PROMPT", "KSH", "MKSH", "DEBUG_", "MALLOC_",
  ]
  private static let programSuffixes = ["PATH", "FLAGS", "OPTS", "OPTIONS", "OPT", "ARGS", "HOME", "LIB", "PREFIX", "SHELL", "PLUGINS"]
  private static let programPrefixes = ["MAKE", "GIT_", "NPM_", "PYTEST_", "PYTHON", "CARGO_", "RUSTC", "SKIP", "TOX", "GTEST_", "XCTEST", "GO"]
  /// Of those, what only changes what is printed or left behind.
  private static let harmlessVariables: Set<String> = [
    "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONHASHSEED", "PYTHONFAULTHANDLER", "CARGO_TERM_COLOR", "GTEST_COLOR",
    "GOMAXPROCS", "GOGC",
  ]

  /// Variables that change how a shell reads or runs what follows, or that it refuses to have set. Small letters: zsh has many such (`path`, `status`).
  static func isOfTheShell(_ name: String) -> Bool {
    name.hasPrefix("_") || !name.utf8.allSatisfy { isNameByte($0) && !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      || shellVariables.contains(name) || shellPrefixes.contains(where: name.hasPrefix)
  }

  /// An assignment that can make another command of one that follows. `PATH` and the like: to shells; `MAKEFLAGS=-n` and the like: to programs.
  static func changesMeaning(_ assignment: ShellAssignment) -> Bool {
    let name = assignment.name
    if isOfTheShell(name) || programSuffixes.contains(where: name.hasSuffix) { return true }
    if programPrefixes.contains(where: name.hasPrefix) { return !harmlessVariables.contains(name) }
    guard name == "LANG" || name == "LANGUAGE" || name.hasPrefix("LC_") else { return false }
    // In some encodings a quote can be the second byte of a character.
    guard let value = assignment.value.ascii else { return true }
    return !(value == "C" || value == "POSIX" || value.hasSuffix("UTF-8") || value.hasSuffix("utf8"))
  }
}
