import Foundation
import JSON
import PosixSupport
import TestSupport
import Testing

@testable import MCP
@testable import WorkerServer

@Suite struct WorkspaceFinderTests {
  private let scratch: Scratch
  private let repository: String
  private let plain: String

  init() throws {
    scratch = try Scratch()
    let root = try #require(PrivateFiles.resolved(scratch.path))
    (repository, plain) = (root + "/repository", root + "/plain")
    for folder in [repository + "/.git", repository + "/deep/er", plain] { try PrivateFiles.createFolder(folder) }
    try PrivateFiles.replace(repository + "/.git/HEAD", with: Array("ref: refs/heads/main\n".utf8))
  }

  private func find(
    roots: [String]? = nil, told: String? = nil, client: String = "test", own: String? = nil, _ environment: [String: String] = [:]
  ) async throws -> WorkspaceFinder.Found {
    var context = CallContext()
    context.workspace = told
    context.client.name = client
    if let roots {
      let result: JSONObject = ["roots": .array(roots.map { ["uri": .string($0)] })]
      context.channel = ClientChannel(capabilities: ClientCapabilities(["roots": [:]])) { _, _ in .result(result) }
    }
    var finder = WorkspaceFinder(environment: environment)
    finder.ownFolder = own ?? "/"
    return try await finder.find(for: context)
  }

  @Test func whatIsSaidFirstCounts() async throws {
    let environment = ["OPENCODE_WORKER_CWD": plain, "CLAUDE_PROJECT_DIR": repository]
    #expect(try await find(roots: ["file://" + plain], told: "/told", environment) == .folder("/told"))
    #expect(try await find(roots: ["file://" + repository], environment) == .folder(repository))
    #expect(try await find(environment) == .folder(plain))
    #expect(try await find(["CLAUDE_PROJECT_DIR": repository, "OPENCODE_WORKER_CWD": ""]) == .folder(repository))
    #expect(try await find(own: repository + "/deep/er") == .folder(repository + "/deep/er"))
    #expect(try await find(own: plain) == .unknown())
    #expect(try await find(roots: [], own: repository) == .folder(repository))
  }

  @Test func anEmptyFolderIsNoRepositoryAndAFileMayBeOne() async throws {
    try PrivateFiles.createFolder(plain + "/.git")
    #expect(try await find(own: plain) == .unknown())
    try FileManager.default.removeItem(atPath: plain + "/.git")
    try PrivateFiles.replace(plain + "/.git", with: Array("gitdir: ../repository/.git/worktrees/plain\n".utf8))
    #expect(try await find(own: plain) == .folder(plain))
  }

  @Test func aHomeThatIsARepositoryIsNobodysWorkspace() async throws {
    #expect(try await find(own: repository + "/deep", ["HOME": repository]) == .unknown())
    #expect(try await find(own: repository, ["HOME": repository]) == .unknown())
    #expect(try await find(own: repository, ["HOME": plain]) == .folder(repository))
  }

  @Test func codexTellsItsWorkspaceOrNobodyDoes() async throws {
    #expect(try await find(client: "codex-mcp-client", own: repository) == .unknown())
    #expect(try await find(client: "codex-mcp-client", own: repository, ["OPENCODE_WORKER_CWD": plain]) == .folder(plain))
  }

  @Test func whatIsNoFolderIsSaidAndNothingElseTakenInstead() async throws {
    let file = scratch.path + "/file"
    try PrivateFiles.replace(file, with: [])
    for root in ["file:///nowhere/at/all", "file://" + file, "vscode-remote://ssh/home", "nonsense"] {
      let found = try await find(roots: [root], own: repository, ["OPENCODE_WORKER_CWD": plain])
      guard case .unknown(let why?) = found else {
        Issue.record("\(root): \(found)")
        continue
      }
      #expect(why.contains(root) && why.contains("not a folder"))
    }
    for value in ["/nowhere/at/all", "relative", file] {
      guard case .unknown(let why?) = try await find(own: repository, ["OPENCODE_WORKER_CWD": value]) else {
        Issue.record("taken: \(value)")
        continue
      }
      #expect(why.contains("OPENCODE_WORKER_CWD") && why.contains(value))
    }
  }

  @Test func ofSeveralRootsTheOneThatIsAFolderIsTakenAndOfSeveralFoldersNone() async throws {
    #expect(try await find(roots: ["file://" + repository, "file://" + repository + "/"]) == .folder(repository))
    guard case .folder(repository, let remark?) = try await find(roots: ["file:///nowhere", "file://" + repository]) else {
      Issue.record("the folder wasn't taken, or nothing was said of the other")
      return
    }
    #expect(remark.contains("file:///nowhere"))
    guard case .unknown(let why?) = try await find(roots: ["file://" + plain, "file://" + repository]) else {
      Issue.record("one of two was taken")
      return
    }
    #expect(why.contains(plain) && why.contains(repository))
  }

  @Test func aRootIsReadAsTheURLThatItIs() async throws {
    let odd = plain + "/ö d%20d #1"
    try PrivateFiles.createFolder(odd)
    let url = URL(fileURLWithPath: odd, isDirectory: true).absoluteString
    #expect(try await find(roots: [url]) == .folder(odd))
    #expect(try await find(roots: [odd]) == .folder(odd))
  }
}
