import Foundation
import JSON
import PosixSupport

/// An agent that is a `.md` file: `{agent,agents}/**/*.md` or `{mode,modes}/*.md`, named by its path below that folder.
struct MarkdownAgent {
  let name: String
  private let head: FrontMatter
  private let isMode: Bool

  static func all(in folder: String) -> [MarkdownAgent] {
    ["agent", "agents", "mode", "modes"].flatMap { kind -> [MarkdownAgent] in
      let isMode = kind.hasPrefix("mode")
      let root = folder + "/" + kind
      let names = (isMode ? try? FileManager.default.contentsOfDirectory(atPath: root) : try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
      return names.filter { $0.hasSuffix(".md") }.sorted().compactMap { name in
        guard let bytes = try? PrivateFiles.read(root + "/" + name) else { return nil }
        return MarkdownAgent(name: String(name.dropLast(3)), head: FrontMatter(String(decoding: bytes, as: UTF8.self)), isMode: isMode)
      }
    }
  }

  /// As 1.x reads it.
  var legacy: JSONObject {
    var agent = head.members
    agent["prompt"] = .string(head.body)
    if isMode { agent["mode"] = "primary" }
    return agent
  }

  /// As 2.x reads it: any word that isn't its own makes the whole file one of 1.x.
  var native: JSONObject {
    var agent = head.members.keys.allSatisfy(MarkdownAgent.nativeKeys.contains) ? head.members : MarkdownAgent.translated(head.members)
    agent["system"] = .string(head.body)
    if isMode { agent["mode"] = "primary" }
    return agent
  }

  private static let nativeKeys: Set<String> = [
    "model", "variant", "request", "system", "description", "mode", "hidden", "color", "steps", "disabled", "permissions",
  ]

  /// 1.x's agent in 2.x's words.
  static func translated(_ agent: JSONObject) -> JSONObject {
    var result: JSONObject = [:]
    for (old, new) in [
      ("model", "model"), ("variant", "variant"), ("prompt", "system"), ("description", "description"), ("mode", "mode"), ("hidden", "hidden"),
      ("color", "color"), ("steps", "steps"), ("maxSteps", "steps"), ("disable", "disabled"),
    ] {
      if let value = agent[old] { result[new] = value }
    }
    let rules = rules(agent)
    if !rules.isEmpty { result["permissions"] = Rules.json(rules) }
    return result
  }

  /// 1.x's `tools` and `permission` of an agent or of a whole document, in 2.x's words.
  static func rules(_ object: JSONObject) -> [Rules.Rule] {
    Rules.legacy(object["permission"], tools: object["tools"], sorted: false, renamed: ["bash": "shell", "task": "subagent"])
  }
}
