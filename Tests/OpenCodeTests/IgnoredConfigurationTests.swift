import PosixSupport
import TestSupport
import Testing

@testable import OpenCode

@Suite struct IgnoredConfigurationTests {
  @Test func brokenFilesOfTheFolderAndAroundItAreFound() throws {
    let scratch = try Scratch()
    for folder in ["top/.git", "top/sub/.opencode", "home/.config/opencode"] { try PrivateFiles.createFolder(scratch.path + "/" + folder) }
    func put(_ path: String, _ text: String) throws { try PrivateFiles.replace(scratch.path + "/" + path, with: Array(text.utf8)) }
    try put("top/opencode.json", "{\"a\": 1,}")
    try put("top/opencode.jsonc", "{\n  \"a\" 1\n}")
    try put("top/sub/opencode.json", "[]")
    try put("top/sub/.opencode/opencode.json", "{\"a\": {env:NUMBER}}")
    try put("home/.config/opencode/opencode.json", "")
    try put("opencode.json", "{broken, above the repository")
    try put("named.json", "{")
    let found = IgnoredConfiguration.find(
      folder: scratch.path + "/top/sub", environment: ["HOME": scratch.path + "/home", "OPENCODE_CONFIG": scratch.path + "/named.json"])
    #expect(
      Set(found.map { String($0.path.dropFirst(scratch.path.count + 1)) }) == [
        "top/opencode.jsonc", "top/sub/opencode.json", "home/.config/opencode/opencode.json", "named.json",
      ])
    #expect(found.first { $0.path.hasSuffix("jsonc") }?.description.hasSuffix("opencode.jsonc (`:` is missing at line 2, column 7)") == true, "\(found)")
    #expect(IgnoredConfiguration.find(folder: "/", environment: ["HOME": "/nowhere"]) == [])
  }
}
