/// Which shell commands look like a test, a build or a linter.
package enum CheckCommands {
  private static let wordLimit = 64
  private static let commandLimit = 16

  /// - Parameter exitCode: of the shell; nil when none is known
  /// - Returns: nil when nothing in the command looks like one; else the exit code, where it is proven to be that of all that do
  package static func result(of command: ShellCommand, exitCode: Int?) -> (exitCode: Int?, isProven: Bool)? {
    if command.unread != nil {
      let words = String(decoding: command.text, as: UTF8.self).split { $0 == " " || $0 == "\n" || $0 == "\t" }
      return isCheck(words: words.prefix(wordLimit).map(String.init)) ? (nil, false) : nil
    }
    let checks = command.commands.filter { isCheck(words: $0.words.prefix(wordLimit).map(\.text)) }
    guard !checks.isEmpty else { return nil }
    guard checks.count <= commandLimit, command.script.refusal == nil else { return (nil, false) }
    let findings = checks.map { DeclaredCommand(part: $0).finding(in: command, exitCode: exitCode) }
    if findings.allSatisfy({ $0?.verdict == .passed }) { return (0, true) }
    guard findings.count == 1, findings[0]?.verdict == .failed else { return (nil, false) }
    return (exitCode, true)
  }

  private static let always: Set<String> = [
    "pytest", "py.test", "tox", "nox", "mypy", "pyright", "basedpyright", "flake8", "pylint", "ruff", "bandit", "make", "gmake", "ninja", "ctest", "tsc",
    "vue-tsc", "eslint",
    "jest", "vitest", "mocha", "ava", "oxlint", "stylelint", "xo", "gradle", "gradlew", "mvn", "mvnw", "xcodebuild", "rspec", "rubocop", "rake", "phpunit",
    "phpstan",
    "psalm", "pest", "phpcs", "sbt", "golangci-lint", "staticcheck", "govulncheck", "shellcheck", "hadolint", "yamllint", "markdownlint", "actionlint", "bats",
    "swiftlint", "clang-tidy", "cppcheck", "gcc", "g++", "cc", "c++", "clang", "clang++", "rustc", "javac", "kotlinc", "swiftc", "ghc", "nvcc", "checkstyle",
    "ktlint",
    "detekt", "credo", "dialyzer", "tflint", "ansible-lint", "sqlfluff", "vale", "cargo-nextest", "buf", "pre-commit", "unittest", "svelte-check", "knip",
    "scons",
  ]

  private static let byWord: [String: Set<String>] = [
    "swift": ["test", "build"], "cargo": ["test", "build", "check", "clippy", "bench", "nextest", "t", "b", "c", "doc"], "go": ["test", "build", "vet"],
    "dotnet": ["test", "build", "publish", "format"], "deno": ["test", "lint", "check", "fmt"], "bazel": ["test", "build"], "bazelisk": ["test", "build"],
    "buck2": ["test", "build"], "meson": ["test", "compile"], "zig": ["test", "build"], "mix": ["test", "compile", "credo", "dialyzer"],
    "stack": ["test", "build"],
    "cabal": ["test", "build"], "dart": ["test", "analyze", "compile"], "flutter": ["test", "analyze", "build"], "lein": ["test"], "playwright": ["test"],
    "cypress": ["run"], "biome": ["check", "lint", "ci"], "nx": ["test", "build", "lint"], "next": ["build", "lint"], "vite": ["build"],
    "ng": ["test", "build", "lint"],
    "terraform": ["validate"], "tofu": ["validate"], "docker": ["build"], "rails": ["test"], "composer": ["test"], "helm": ["lint"],
    "turbo": ["test", "build", "lint"],
    "forge": ["test", "build"], "hardhat": ["test", "compile"], "webpack": ["build"], "nim": ["c", "check"], "crystal": ["spec", "build"],
    "moon": ["run", "check"],
  ]

  private static let runners: Set<String> = ["npx", "bunx", "uvx", "pipx", "sudo", "doas", "xvfb-run", "stdbuf", "nice", "env", "timeout"]
  private static let toolRunners: [String: Set<String>] = [
    "uv": ["run"], "poetry": ["run"], "pipenv": ["run"], "pdm": ["run"], "hatch": ["run"], "rye": ["run"], "bundle": ["exec"], "pnpm": ["exec", "dlx"],
    "yarn": ["exec", "dlx"], "npm": ["exec"], "bun": ["x"], "xcrun": [], "docker": ["run", "exec"], "mise": ["exec"], "php": [],
  ]
  private static let packageManagers: Set<String> = ["npm", "pnpm", "yarn", "bun"]
  private static let telling = ["test", "lint", "build", "check", "verify", "typecheck", "tsc", "format", "compile", "spec", "e2e", "coverage", "ci", "unit"]

  private static func isCheck(words: [String]) -> Bool {
    guard let first = words.first else { return false }
    let rest = Array(words.dropFirst())
    if rest.count == 1, ["--version", "-version", "--help", "-h", "-V", "-v", "version", "help"].contains(rest[0]) { return false }
    let name = ShellNames.base(first)
    let operands = rest.filter { !$0.hasPrefix("-") && !$0.hasPrefix("+") }
    if always.contains(name) { return true }
    if let wanted = byWord[name], operands.prefix(2).contains(where: wanted.contains) { return true }
    if name == "swift" { return operands.starts(with: ["format", "lint"]) }
    if name == "cargo" { return operands.first == "fmt" && rest.contains("--check") }
    if name == "swift-format" { return operands.first == "lint" }
    if name == "cmake" { return rest.contains("--build") }
    if ["black", "isort", "prettier", "rustfmt", "clang-format"].contains(name) {
      return rest.contains { ["--check", "-c", "--check-only", "--dry-run", "-n"].contains($0) }
    }
    if name == "node" { return rest.contains("--test") || rest.contains("--check") }
    if name.hasPrefix("python"), let module = rest.firstIndex(of: "-m"), module + 1 < rest.count {
      return ["build", "compileall", "py_compile"].contains(rest[module + 1]) || isCheck(words: Array(rest[(module + 1)...]))
    }
    if packageManagers.contains(name), let script = operands.first.map({ $0 == "run" || $0 == "run-script" ? operands.dropFirst().first : $0 }) ?? nil {
      if script == "t" || script == "tst" || tells(script) { return true }
    }
    if ["just", "task", "invoke", "inv", "ant"].contains(name) { return operands.contains(where: tells) }
    if runners.contains(name), let next = rest.firstIndex(where: { !$0.hasPrefix("-") && !$0.contains("=") && Int($0) == nil }) {
      return isCheck(words: Array(rest[next...]))
    }
    if let wanted = toolRunners[name], let next = wanted.isEmpty ? -1 : rest.firstIndex(where: wanted.contains), next + 1 < rest.count {
      let tail = rest[(next + 1)...].drop { $0.hasPrefix("-") }
      if !tail.isEmpty { return isCheck(words: Array(tail)) }
    }
    if ShellNames.shells.contains(name), let script = operands.first { return tells(ShellNames.base(script)) }
    return first.contains("/") && tells(name)
  }

  /// `test:unit`, `run-tests.sh`, `ci`: a part of the name says it.
  private static func tells(_ name: String) -> Bool {
    name.lowercased().split { !$0.isLetter && !$0.isNumber }.contains { part in
      telling.contains { part == $0 || part == $0 + "s" || part == $0 + "ing" }
    }
  }
}
