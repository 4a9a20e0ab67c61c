/// Makes shell programs at random, the same ones for the same seed: of forms that are understood, of forms made to deceive, and with single characters put in or
/// taken out. They run `t check` (T), `x` and harmless others in a folder of their own.
struct ShellPrograms {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  // MARK: Chance

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }

  // MARK: Programs

  private static let checks = [
    "t check", "t check", "t check", "t check", "'t' check", "t \"check\"", "t ch\\eck", "W=1 t check", "t check 2>&1", "t check > out.txt",
    "t check >/dev/null 2>&1", "t check > none/none", "t check < /dev/null", "t check < t.in", "env W=1 t check", "env t check", "timeout 5 t check",
    "nice -n 1 t check", "nohup t check", "time t check", "command t check", "t \\\n  check", "t check # done", "bash -c 't check'",
    "sh -lc 't check'", "bash -l -c 'cd sub && t check'", "timeout 5 bash -c 't check'", "W=1 bash -c 't check'",
  ]
  private static let oddChecks = [
    "./env t check", "./timeout 5 t check", "./bash -c 't check'", "exec t check", "PATH=../evil:$PATH t check", "eval t check", "eval 't check'",
    "builtin t check", "t\\\n check", "t check\r", "t\u{a0}check", "t check; ", "t chec\u{301}k", "../bin/t check", "exec -a q t check", "env -i t check",
    "env PATH=../evil:$PATH t check", "./wrap t check", "xargs t check", "echo check | xargs t", "echo t check | sh", "sh <<< 't check'",
    "sh <<E\nt check\nE", "t $C", "C=check; t $C", "t {check,check}", "t chec?", "T='t check'; $T", "\"t\" 'chec'k", "t check > t", "t check >| out.txt",
    "t check &> out.txt", "t check >& out.txt", "t check 3>&1", "bash -ec 't check'", "bash -c 't check' a b", "bash -c \"t check\"", "zsh -c 't check'",
    "dash -c 't check'", "t() { command t \"$@\"; }; t check", "f() { t $1; }; f check", "echo 't check' > s.sh; sh s.sh", "echo 't check' > s.sh; . ./s.sh",
    "cat <<'E' > s.sh\nt check\nE\nsh ./s.sh", "alias c='t check'; c", "t check &\nwait", "coproc t check", "time -p t check", "nice -5 t check",
    "timeout 5 ./wrap t check", "find . -maxdepth 0 -exec t check \\;", "IFS=e; t check", "\"$NONE\"t check", "t \"\"check", "t '' check",
    "echo check | xargs -I{} sh -c 't {}'", "echo t | xargs -I% % check", "echo check | xargs -i sh -c 't {}'", "printf 't%s' ' check' | sh", "env -S't check'",
    "env -vS 't check'", "sed '1e t check' rc", "sed '1et check' rc", "sed 's/exit/t check/e' rc", "echo 't check' | env sh", "sh <<'E'\nA=t\n$A check\nE",
    "EDITOR='t check' sh -c '$EDITOR'", "t $NONE\\\ncheck", "t \"$\\\nNONE\"check", "t check<->", "t check <1-5>", "X=\"t $NONE\\\ncheck\"; $X",
    "echo t check | xargs env", "find rc -exec sh -c 't check; true {}' \\;", "timeout 5 t check ''~none", "A=x:''~none t check",
  ]
  private static let others = [
    "x", "x", "x", "true", "false", "cd sub", "cd sub", "cd ..", "cd ../work", "cd none", "cd .", "export W=1", "W=1", "echo hi", "echo t check",
    "echo 't check; x'", "x > out.txt", "x 2>&1", "x > none/none", "[ -f none ]", "test -d sub", "x a 'b c' \"d $W\"", "echo $W ${W} $?", "x | x", "! x",
    "x || x", "bash -c 'x'", "bash -c 'exit 0'", "printf 'a %s' b", "command -v x", "env W=1 x", "timeout 5 x", "# t check",
    "python-like -c \"print('t check')\"", "t other", "ls *.none", "echo *", "cd ../out",
  ]
  private static let oddOthers = [
    "cd", "cd -", "cd \"$NONE\"", "cd ''", "cd -- sub", "cd -P sub", "cd s*", "cd sub sub", "PATH=../evil:$PATH", "export PATH=../evil:$PATH", "IFS=t",
    "path=../evil", "status=1", "UID=1", "set -e", "set -u", "set -n", "set -o pipefail", "set -eu; x", "trap 'exit 0' EXIT", "trap 'true' EXIT", "exit 0",
    "exit 3", "exit", "return 0", "break", "t() { :; }", "t() { false; }", "function t { true; }", "alias t=true", "shopt -s expand_aliases\nalias t=true",
    "setopt aliases; alias t=true", "source ./rc", ". ./none", "exec true", "exec > none/none", "exec 2>&1", "unset PATH", "hash -p /bin/true t", "[[ a b ]]",
    "[[ -f none ]]", "[[ a = a ]] && exit 0", "((0))", "((1))", "[ a -eq b ]", "[ path=5 -eq 5 ]", "[ -v x ]", "cat <<E\nt check\nE",
    "cat <<'E' > s.sh\nexit 0\nE", "cat <<-E\n\tt check\n\tE", "grep -q x <<< y", "v=$(t check)", "echo \"$(t check)\"", "echo `t check`",
    "echo \"`t check`\"", "echo $((1+1))", "echo ${NONE:?gone}", "echo ${NONE:-$(t check)}", "v=$((1/0))", "echo $NONE:z", "echo \"$NONE[1+]\"", "echo =none",
    "echo ~none", "echo a=~none", "echo {a,b}", "echo }", "echo [", "echo $'a\\'b'", "echo $\"a\"", "wait", "printf -v PATH x", "printf '%d' path=5",
    "readonly W", "typeset W=2", "umask 077", "pushd sub", "command cd sub", "builtin cd sub", "command exit 0", "time exit 0", "! exit 0", "exit 0 | x",
    "x | exit 0", "x & x", "x |& x", "x &> out.txt", ": > none/none", "> none/none", "export W > none/none", "A=1 :", "A=1 export B=2", "shift 5", "local W",
    "let W=0", "read W", "unset -f t", "noglob x", "- x", "nocorrect x", "repeat 2 x", "emulate sh", "x ; ;", "; x", "x &&", "&& x", "( x",
    "x )", "'", "\"", "\\", "x 2>", "x <", "if x", "done", "fi", "esac", "{ x", "!", "! ! x", "é", "echo é", "'x'\\", "BASH_ENV=./rc", "ENV=./rc",
    "SHELLOPTS=noexec", "POSIXLY_CORRECT=1", "LC_ALL=C", "FIGNORE=x", "HOME=..", "CDPATH=..", "OLDPWD=../out", "PWD=../out", "x\r", "echo \u{1}",
    "x <(t check)", "cat < <(t check)", "x > >(cat)", "cat <<A <<B\nt check\nA\nt check\nB", "cat <<A\n\\\nA\nt check\nA", "case a in a) exit 0;; esac",
    "export A=''~none", "export A=\"$NONE\"~1", "export A=$NONE=none", "export A=\"x:\"~none", "x ''~none", "x $NONE=none", "A=x:$NONE~none",
    "export A=\"$NONE\\\n[1+]\"", "x \"$NO\\\nNE[1+]\"", "x &\\\n& x", "x |\\\n| x", "x >\\\n> out.txt", "cd none/..", "cd ./none/../.", "cd sub/../none/..",
    "cd ../none/../work", "cd sub/..", "cd ../work/sub/..", "echo <->.txt", "echo a<1-5>b", "x <->", "ls ?.none",
    "test $NONE", "export $NONE", "zmodload zsh/stat",
  ]

  /// A program, and whether it is one of the understood forms only.
  mutating func program() -> String {
    let depth = 1 + below(3)
    switch below(10) {
    case 0...5: return plain(depth)
    case 6...7: return odd(depth)
    case 8: return mutated(plain(depth))
    default: return mutated(odd(depth - 1))
    }
  }

  private mutating func plain(_ depth: Int) -> String {
    guard depth > 0 else { return one(of: below(3) != 0 ? ShellPrograms.checks : ShellPrograms.others) }
    let first = plain(depth - 1)
    switch below(12) {
    case 0...3: return "\(first) && \(plain(depth - 1))"
    case 4...6: return "\(first); \(plain(depth - 1))"
    case 7: return "\(first)\n\(plain(depth - 1))"
    case 8: return "\(first) || \(plain(depth - 1))"
    case 9: return "\(first) | \(plain(depth - 1))"
    case 10: return shell(first)
    default:
      return one(of: ["cd sub && \(first)", "cd ../work && \(first)", "cd sub\n\(first)", "W=1; \(first)", "export V=1 && \(first)", "\(first) # t check"])
    }
  }

  private mutating func odd(_ depth: Int) -> String {
    guard depth > 0 else {
      return one(of: [ShellPrograms.checks, ShellPrograms.oddChecks, ShellPrograms.others, ShellPrograms.oddOthers, ShellPrograms.oddOthers][below(5)])
    }
    let (first, second) = (odd(depth - 1), odd(depth - 1))
    switch below(24) {
    case 0...4: return "\(first); \(second)"
    case 5...7: return "\(first)\n\(second)"
    case 8...10: return "\(first) && \(second)"
    case 11: return "\(first) || \(second)"
    case 12: return "\(first) | \(second)"
    case 13: return "\(first) & \(second)"
    case 14: return "(\(first))"
    case 15: return "{ \(first); }; \(second)"
    case 16: return "if \(first); then \(second); fi"
    case 17: return "for i in 1 2; do \(first); done; \(second)"
    case 18: return "f() { \(first); }; \(second)"
    case 19: return "v=$(\(first)); \(second)"
    case 20: return "case a in a) \(first);; esac; \(second)"
    case 21: return "! \(first)"
    case 22: return "(\(first)) && \(second)"
    default: return shell(first)
    }
  }

  private mutating func shell(_ inner: String) -> String {
    let text = "'" + inner.replacing("'", with: "'\\''") + "'"
    return one(of: ["bash -c ", "sh -c ", "bash -lc ", "sh -l -c ", "env W=1 bash -c ", "timeout 5 sh -c ", "bash -ec ", "bash -uc ", "bash -c -- "]) + text
  }

  /// One or two characters put in, taken out or doubled. Not where that could make another place outside the trial's folder of a path: `>` before
  /// `/usr/bin/env` empties it.
  private mutating func mutated(_ program: String) -> String {
    let hasAbsolutePath = program.indices.contains { program[$0] == "/" && ($0 == program.startIndex || " >'=<".contains(program[program.index(before: $0)])) }
    guard !hasAbsolutePath else { return program }
    var scalars = Array(program.unicodeScalars)
    for _ in 0...below(2) where !scalars.isEmpty {
      let place = below(scalars.count)
      switch below(6) {
      case 0: scalars.remove(at: place)
      case 1: scalars.insert(scalars[place], at: place)
      case 2: scalars.insert(contentsOf: one(of: ["\\\n", "''", "\"\"", "$NONE", "<->", "$'", "~none", "=none", "*.none"]).unicodeScalars, at: place)
      default: scalars.insert(one(of: Array("'\"\\$`{}()[]<>|&;!#~?=\n\r\t :,^%+-@".unicodeScalars)), at: place)
      }
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }
}
