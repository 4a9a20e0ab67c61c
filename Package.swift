// swift-tools-version: 6.2
import PackageDescription

/// Every target: Swift 6 language mode (the tools version's default), complete concurrency checking, no warning left standing.
/// In release builds the runtime is linked statically: the binary starts faster and runs where Swift isn't installed.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .unsafeFlags(["-static-stdlib"], .when(platforms: [.linux], configuration: .release)),
]
let staticRuntime: [LinkerSetting] = [
  .unsafeFlags(["-static-stdlib"], .when(platforms: [.linux], configuration: .release))
]

let package = Package(
  name: "opencode-worker",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "opencode-worker", targets: ["WorkerServer"])
  ],
  targets: [
    .target(name: "PosixSupport", swiftSettings: strict),
    .target(name: "JSONRPC", dependencies: ["PosixSupport"], swiftSettings: strict),
    .target(name: "OpenCode", dependencies: ["PosixSupport", "JSONRPC"], swiftSettings: strict),
    .target(name: "StandInOpenCode", dependencies: ["PosixSupport", "JSONRPC"], swiftSettings: strict),
    .executableTarget(
      name: "WorkerServer", dependencies: ["PosixSupport", "JSONRPC", "OpenCode", "StandInOpenCode"],
      swiftSettings: strict, linkerSettings: staticRuntime),
    .testTarget(name: "PosixSupportTests", dependencies: ["PosixSupport"], swiftSettings: strict),
    .testTarget(name: "JSONRPCTests", dependencies: ["JSONRPC"], swiftSettings: strict),
    .testTarget(name: "OpenCodeTests", dependencies: ["OpenCode", "JSONRPC", "PosixSupport"], swiftSettings: strict),
    .testTarget(name: "WorkerServerTests", dependencies: ["WorkerServer", "OpenCode", "JSONRPC", "PosixSupport"], swiftSettings: strict),
    .testTarget(name: "StandInOpenCodeTests", dependencies: ["StandInOpenCode", "JSONRPC", "PosixSupport"], swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["WorkerServer", "JSONRPC", "PosixSupport"], exclude: ["codex"], swiftSettings: strict),
  ]
)
