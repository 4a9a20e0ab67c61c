// swift-tools-version: 6.2
import PackageDescription

/// The gate leaves no warning standing. Elsewhere a newer compiler with a new warning must not break a build.
let noWarnings: [SwiftSetting] = Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// Every target: Swift 6 language mode (the tools version's default), complete concurrency checking.
/// In release builds the runtime is linked statically: the binary starts faster and runs where Swift isn't installed. Symbols are left out
/// there (on Linux; on macOS that would undo the signature). It is linked to a fixed address: otherwise the loader would mend 70,000 places in
/// each of the processes that a run needs, which takes a millisecond and two megabytes. What that gives up is a random address of the program
/// itself; stack, heap and libraries keep theirs.
let strict: [SwiftSetting] =
  noWarnings + [
    .unsafeFlags(["-static-stdlib"], .when(platforms: [.linux], configuration: .release))
  ]
let staticRuntime: [LinkerSetting] = [
  .unsafeFlags(["-static-stdlib", "-Xlinker", "-s", "-Xclang-linker", "-no-pie"], .when(platforms: [.linux], configuration: .release))
]

/// Unoptimised they are a third of what the tests compute, and they take as long to build.
let fastInDebugToo: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// A module and what it may know: an arrow that isn't here doesn't compile.
func module(_ name: String, knows others: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: others, exclude: ["README.md"], swiftSettings: strict + fastInDebugToo)
}

/// A module's tests. What they share is in `TestSupport`.
func tests(_ name: String, know others: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: others + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
  name: "opencode-worker",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "opencode-worker", targets: ["WorkerServer"])
  ],
  targets: [
    module("PosixSupport"),
    module("JSON"),
    module("Text"),
    module("JSONRPC", knows: ["JSON", "PosixSupport"]),
    module("MCP", knows: ["JSON", "JSONRPC", "PosixSupport", "Text"]),
    module("OpenCode", knows: ["JSON", "PosixSupport", "Text"]),
    module("ShellReading"),
    module("Workspace", knows: ["PosixSupport"]),
    module("Runs", knows: ["JSON", "OpenCode", "PosixSupport", "ShellReading", "Text", "Workspace"]),
    module("CodexSetup", knows: ["JSON", "MCP", "PosixSupport", "Text"]),
    module("Desk", knows: ["OpenCode", "PosixSupport", "Runs", "ShellReading", "Text", "Workspace"]),
    module("StandInOpenCode", knows: ["JSON", "PosixSupport", "Text"]),
    .executableTarget(
      name: "WorkerServer",
      dependencies: [
        "CodexSetup", "Desk", "JSON", "JSONRPC", "MCP", "OpenCode", "PosixSupport", "Runs", "ShellReading", "StandInOpenCode", "Text", "Workspace",
      ],
      exclude: ["README.md"], swiftSettings: strict, linkerSettings: staticRuntime),
    // It imports `Testing`, which the toolchain has no static form of: it must build in a release, too.
    .target(name: "TestSupport", dependencies: ["JSON", "JSONRPC", "PosixSupport"], path: "Tests/TestSupport", swiftSettings: noWarnings),
    tests("PosixSupportTests", know: ["PosixSupport"]),
    tests("JSONTests", know: ["JSON"]),
    tests("TextTests", know: ["Text"]),
    tests("JSONRPCTests", know: ["JSON", "JSONRPC"]),
    tests("MCPTests", know: ["JSON", "JSONRPC", "MCP", "PosixSupport", "Text"]),
    tests("OpenCodeTests", know: ["JSON", "OpenCode", "PosixSupport", "Text"]),
    tests("ShellReadingTests", know: ["PosixSupport", "ShellReading"]),
    tests("WorkspaceTests", know: ["PosixSupport", "Workspace"]),
    tests("RunsTests", know: ["JSON", "OpenCode", "PosixSupport", "Runs", "ShellReading", "Text", "Workspace"]),
    tests("DeskTests", know: ["Desk", "OpenCode", "PosixSupport", "Runs", "Text", "Workspace"]),
    tests("CodexSetupTests", know: ["CodexSetup", "JSON", "MCP", "PosixSupport"]),
    tests("StandInOpenCodeTests", know: ["JSON", "PosixSupport", "StandInOpenCode", "WorkerServer"]),
    tests("WorkerServerTests", know: ["CodexSetup", "JSON", "MCP", "OpenCode", "PosixSupport", "Runs", "Text", "WorkerServer"]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["WorkerServer", "JSON", "JSONRPC", "PosixSupport", "TestSupport"], exclude: ["codex", "kernel"],
      swiftSettings: strict),
  ]
)
